import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import { exportedNames } from '../../protocol/exportFormat.ts';
import { extendGraph, finishGraph } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import { networkOfCheckpoint } from '../inference/openBackbone.ts';
import { tryModel } from '../inference/modelTrial.ts';
import { writeOnnx } from '../lowering/writeOnnx.ts';
import { mostModelBytes, type OnnxModel } from '../onnx/onnxModel.ts';
import { affine } from '../operators/elementwise/affine.ts';
import { logSoftmax } from '../operators/loss/logSoftmax.ts';
import { foldBatchNorm } from '../passes/foldBatchNorm.ts';
import type { Checkpoint } from '../weights/checkpoint.ts';
import { joinBackbone } from './joinBackbone.ts';
import { weightBytes } from './weightBytes.ts';

/** The network's own log-probabilities where a temperature follows in the model. */
const beforeTemperature = 'log_probabilities_at_temperature_1';

/** A network as an ONNX model, and its value of log-probabilities at temperature 1. */
export interface NetworkModel {
  readonly model: OnnxModel;
  readonly plainOutput: string;
}

/**
 * The network of a checkpoint as an ONNX model for any batch: input `input`, float32 `[N, 3, S, S]`, prepared; output
 * `log_probabilities` `[N, classes]`, at `temperature` where one is given. Batch norms are folded into convolutions.
 * Throws a user error where the ONNX file that it starts from cannot be used.
 */
export async function networkModel(
  file: string,
  { metadata, state }: Checkpoint,
  temperature: number | undefined,
  trial = tryModel,
): Promise<NetworkModel> {
  const { network, backbone } = await networkOfCheckpoint(file, metadata, trial);
  const options = { batchSize: 1, size: metadata.preprocessing.crop };
  const { graph: plain, constants } = foldBatchNorm(network.graph({ ...metadata.head, dropout: 0 }, options), state);
  const [start = ''] = plain.inputs;
  const [plainOutput = ''] = plain.outputs;
  const { input, logProbabilities } = exportedNames;
  const graph = temperature === undefined ? plain : scaled(plain, temperature);
  const named = temperature === undefined ? logProbabilities : beforeTemperature;
  const rename = new Map([
    [start, backbone?.extractor.output ?? input],
    [plainOutput, named],
    [graph.outputs[0] ?? '', logProbabilities],
  ]);
  const model = writeOnnx(graph, { constants, openBatch: true, rename });
  const joined = backbone
    ? joinBackbone(backbone.extractor, model, input, [logProbabilities, beforeTemperature])
    : model;
  return { model: joined, plainOutput: named };
}

/** Log-probabilities of logits that are divided by the temperature. */
function scaled(graph: Graph, temperature: number): Graph {
  const builder = extendGraph(graph);
  const divided = affine(builder, graph.outputs[0] ?? '', { scale: 1 / temperature });
  return finishGraph(builder, [logSoftmax(builder, divided)]);
}

/** Throws a user error for a network whose weights do not fit into one file, before they are read. */
export function refuseTooLarge(file: string, metadata: CheckpointMetadata): void {
  const bytes = weightBytes(file, metadata);
  if (bytes <= mostModelBytes) return;
  throw userError(
    `${file} cannot be exported, because its weights have ${(bytes / 1e9).toFixed(1)} GB and an ONNX file has at most 2: use the checkpoint itself, or train a smaller network.`,
  );
}

import type { FeatureExtractor } from '../onnx/foreign/featuresAndScores.ts';
import { encodeOnnx, mostModelBytes, type OnnxModel } from '../onnx/onnxModel.ts';
import { writeOnnx } from '../lowering/writeOnnx.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import { temperatureFor } from '../../protocol/confidenceCalibration.ts';
import { extendGraph, finishGraph } from '../graph/builder.ts';
import { type Graph, typeOf } from '../graph/graph.ts';
import { elementCount, type StateDict } from '../graph/tensor.ts';
import { affine } from '../operators/elementwise/affine.ts';
import { logSoftmax } from '../operators/loss/logSoftmax.ts';
import type { Checkpoint } from '../weights/checkpoint.ts';
import { networkOf } from '../networks/registry.ts';
import { networkOfCheckpoint } from './openBackbone.ts';
import { exportedKeys } from './backbonePreprocessing.ts';
import { tryModel } from './modelTrial.ts';
import { readUsableCheckpoint, usableGraph } from './usableCheckpoint.ts';

/** Names in the exported file. */
export const exportedInput = 'input';
export const exportedOutput = 'log_probabilities';

/**
 * The bytes of an ONNX file of a checkpoint that runs in any ONNX Runtime: input `input`, float32 `[N, 3, S, S]`,
 * normalised as the metadata says; output `log_probabilities` `[N, classes]`. The file's metadata say in JSON what is
 * needed to use it: `preprocessing`, `labels` (index, folder and name of each class) and `fivecrop`, the checkpoint's own;
 * `licence` is that of the weights that its run began with. A temperature that was fitted to predictions by one crop is in
 * the network. The mean of five crops has a temperature of its own, in `fivecrop`: it fits the mean of probabilities at
 * temperature 1, which this file gives only where it has no temperature in it.
 * Throws as `readUsableCheckpoint` does, and a user error for a network that does not fit into a file.
 */
export async function exportOnnx(file: string, trial = tryModel): Promise<Uint8Array> {
  refuseTooLarge(file, await readCheckpointMetadata(file));
  const checkpoint = await readUsableCheckpoint(file);
  const { head, preprocessing } = checkpoint.metadata;
  const metadata = metadataOf(checkpoint);
  const { network, backbone } = await networkOfCheckpoint(file, checkpoint.metadata, trial);
  const plain = network.graph({ ...head, dropout: 0 }, { batchSize: 1, size: preprocessing.crop });
  const temperature = temperatureFor(checkpoint.metadata.calibration, 1);
  const graph = temperature === undefined ? plain : scaled(plain, temperature.value);
  const [start = ''] = graph.inputs;
  const model = write(graph, checkpoint.state, metadata, [start, backbone?.extractor.output ?? exportedInput]);
  return encodeOnnx(backbone ? joinModels(backbone.extractor, model) : model);
}

/** Throws a user error for a network whose weights do not fit into one file. */
function refuseTooLarge(file: string, { network, head, preprocessing: { crop } }: CheckpointMetadata): void {
  const graph = usableGraph(file, () => networkOf(network).graph(head, { batchSize: 1, size: crop }));
  const bytes = [...graph.parameters, ...graph.buffers].reduce(
    (sum, name) => sum + 4 * elementCount(typeOf(graph, name).shape),
    0,
  );
  if (bytes <= mostModelBytes) return;
  throw userError(
    `${file} cannot be exported, because its weights have ${(bytes / 1e9).toFixed(1)} GB and an ONNX file has at most 2: use the checkpoint itself, or train a smaller network.`,
  );
}

/** Log-probabilities of logits that are divided by the temperature. */
function scaled(graph: Graph, temperature: number): Graph {
  const builder = extendGraph(graph);
  const divided = affine(builder, graph.outputs[0] ?? '', { scale: 1 / temperature });
  return finishGraph(builder, [logSoftmax(builder, divided)]);
}

function metadataOf({ metadata }: Checkpoint): Record<string, string> {
  return {
    [exportedKeys.preprocessing]: JSON.stringify(metadata.preprocessing),
    [exportedKeys.labels]: JSON.stringify(metadata.classes),
    [exportedKeys.checkpoint]: JSON.stringify(metadata),
    ...(metadata.licence === undefined ? {} : { [exportedKeys.licence]: metadata.licence }),
  };
}

function write(
  graph: Graph,
  constants: StateDict,
  metadata: Record<string, string>,
  renamedInput: readonly [string, string],
): OnnxModel {
  const rename = new Map([renamedInput, [graph.outputs[0] ?? '', exportedOutput]]);
  return writeOnnx(graph, { constants, openBatch: true, rename, metadata });
}

/**
 * The head behind the features of its backbone, as one model. The head's operators (Gemm, Relu, LogSoftmax of matrices)
 * mean the same in every opset that a backbone can have, so the backbone's own stays.
 */
function joinModels(features: FeatureExtractor, head: OnnxModel): OnnxModel {
  const backbone = features.model;
  const { graph } = backbone;
  const taken = graph.node.flatMap(({ output }) => output);
  const inHead = freshPrefix('head', taken);
  const inBackbone = freshPrefix('backbone', taken);
  const behind = renamed(head, (name) =>
    name === '' || name === features.output || name === exportedOutput ? name : `${inHead}${name}`,
  );
  const before = renamed(backbone, (name) => {
    if (name === features.input) return exportedInput;
    return name === exportedInput || name === exportedOutput ? `${inBackbone}${name}` : name;
  });
  return {
    ...backbone,
    producerName: 'fivecrop',
    metadataProps: head.metadataProps ?? [],
    graph: {
      ...before.graph,
      node: [...before.graph.node, ...behind.graph.node],
      initializer: [...(before.graph.initializer ?? []), ...(behind.graph.initializer ?? [])],
      output: behind.graph.output,
    },
  };
}

/** A beginning that none of the names has: a backbone may itself be what was exported before. */
function freshPrefix(word: string, names: readonly string[]): string {
  let prefix = `${word}/`;
  for (let number = 2; names.some((name) => name.startsWith(prefix)); number++) prefix = `${word}${number}/`;
  return prefix;
}

/** The same model with other names for its values. */
function renamed(model: OnnxModel, rename: (name: string) => string): OnnxModel {
  const { graph } = model;
  return {
    ...model,
    graph: {
      ...graph,
      node: graph.node.map((node) => ({
        ...node,
        name: '',
        input: node.input.map(rename),
        output: node.output.map(rename),
      })),
      initializer: (graph.initializer ?? []).map((tensor) => ({ ...tensor, name: rename(tensor.name ?? '') })),
      input: graph.input.map((value) => ({ ...value, name: rename(value.name) })),
    },
  };
}

import type * as tfjs from '@tensorflow/tfjs';
import type { CheckpointMetadata } from '../../../protocol/checkpointMetadata.ts';
import { temperatureFor } from '../../../protocol/confidenceCalibration.ts';
import { userError } from '../../../protocol/errors.ts';
import { exportedNames } from '../../../protocol/exportFormat.ts';
import { networkName } from '../../../protocol/networkName.ts';
import { cropCountFor } from '../../data/fiveCrops.ts';
import { upload } from '../../engine/tensorflow/deviceTensor.ts';
import { interpret } from '../../engine/tensorflow/interpret.ts';
import { activate, loadPlain } from '../../engine/tensorflow/runtime.ts';
import { typeOf } from '../../graph/graph.ts';
import { networkOf } from '../../networks/registry.ts';
import type { TensorFlow } from '../../operators/tensorflow.ts';
import { foldBatchNorm } from '../../passes/foldBatchNorm.ts';
import type { Checkpoint } from '../../weights/checkpoint.ts';
import { type GraphWeight, openShape, recordedBatch, typeName } from './graphParts.ts';
import { graphJson, weightBytes } from './graphJson.ts';
import { recordGraph, type Recording } from './graphRecorder.ts';

/** A graph model of TensorFlow.js: the content of `model.json`, and that of the files that it names. */
interface TensorflowModel {
  readonly json: object;
  readonly shards: ReadonlyMap<string, Uint8Array>;
  readonly crops: 1 | 5;
  /** Confidence below which the answer is "none of these"; undefined where none is kept. */
  readonly threshold: number | undefined;
}

/** As TensorFlow's own converter cuts them, so that browsers keep each. */
const shardBytes = 4 * 2 ** 20;

/**
 * A checkpoint as a graph model of TensorFlow.js: `pixels`, int32 `[crops * N, S, S, 3]`, RGB, resized and cropped, the
 * first crop of all images before the second, to `probabilities` `[N, classes]` at the checkpoint's temperature. Throws a
 * user error for a network that lies in an ONNX file.
 */
export async function tensorflowModel(
  file: string,
  checkpoint: Checkpoint,
  wantedCrops: 1 | 5,
): Promise<TensorflowModel> {
  const { metadata } = checkpoint;
  if (metadata.network.kind === 'backbone') {
    throw userError(
      `${file} cannot be written for TensorFlow.js, because most of its network is the ONNX file ${networkName(metadata.network)}: export it as *.onnx, which onnxruntime-web runs in a browser.`,
    );
  }
  const crops = cropCountFor(metadata.preprocessing.fit, wantedCrops);
  const recording = await record(await loadPlain(), checkpoint, crops);
  const { modelTopology, weightSpecs } = graphJson(recording);
  const shards = shardsOf(weightBytes(recording));
  const size = metadata.preprocessing.crop;
  const threshold = metadata.calibration?.rejection?.threshold[crops];
  const json = {
    format: 'graph-model',
    generatedBy: 'Fivecrop',
    convertedBy: 'Fivecrop',
    signature: {
      inputs: { [exportedNames.pixels]: valueOf(exportedNames.pixels, 'int32', [recordedBatch, size, size, 3]) },
      outputs: {
        [exportedNames.probabilities]: valueOf(exportedNames.probabilities, 'float32', [recordedBatch, metadata.classes.length]), // prettier-ignore
      },
    },
    userDefinedMetadata: metadataOf(metadata, crops, threshold),
    modelTopology,
    weightsManifest: [{ paths: [...shards.keys()], weights: weightSpecs }],
  };
  return { json, shards, crops, threshold };
}

async function record(tf: TensorFlow, { metadata, state }: Checkpoint, crops: 1 | 5): Promise<Recording> {
  const { preprocessing, head, classes, calibration } = metadata;
  const options = { batchSize: crops * recordedBatch, size: preprocessing.crop, pixels: preprocessing };
  const network = networkOf(metadata.network);
  const { graph, constants } = foldBatchNorm(network.graph({ ...head, dropout: 0 }, options), state);
  const [images = ''] = graph.inputs;
  const [logProbabilities = ''] = graph.outputs;
  const weights: GraphWeight[] = [];
  await activate({ tf, device: 'cpu', backend: 'cpu' });
  for (const [name, tensor] of constants) {
    if (tensor.dtype !== 'float32') continue;
    const value = upload(tf, tensor, typeOf(graph, name));
    weights.push({ name, dtype: 'float32', shape: value.shape, data: Float32Array.from(value.dataSync()) });
    value.dispose();
  }
  const [n, , height, width] = typeOf(graph, images).shape;
  const shape = [n ?? 0, height ?? 0, width ?? 0, 3];
  const temperature = temperatureFor(calibration, crops)?.value;
  return recordGraph(
    tf,
    { name: exportedNames.pixels, shape, dtype: 'int32' },
    exportedNames.probabilities,
    (pixels, constant) => {
      const given = new Map([[images, pixels] as const, ...weights.map((weight) => [weight.name, constant(weight)] as const)]); // prettier-ignore
      const result = interpret(tf, graph, given, [logProbabilities], false).get(logProbabilities);
      if (!result) throw new Error('the graph has no output');
      return probabilities(tf, result, { crops, classes: classes.length, temperature });
    },
  );
}

interface Telling {
  readonly crops: 1 | 5;
  readonly classes: number;
  readonly temperature: number | undefined;
}

/** What float32 of a graphics card holds too. */
const least = 1e-30;

/** Log-probabilities `[crops * N, classes]` -> the mean of the crops' probabilities at the temperature, `[N, classes]`. */
function probabilities(
  tf: TensorFlow,
  logProbabilities: tfjs.Tensor,
  { crops, classes, temperature }: Telling,
): tfjs.Tensor {
  const atTemperature = (logits: tfjs.Tensor) =>
    tf.softmax(temperature === undefined ? logits : tf.mul(logits, tf.scalar(1 / temperature)));
  if (crops === 1) return atTemperature(logProbabilities);
  const byCrop = tf.reshape(tf.softmax(logProbabilities), [crops, -1, classes]);
  const mean = tf.mul(tf.sum(byCrop, 0), tf.scalar(1 / crops));
  return temperature === undefined ? mean : atTemperature(tf.log(tf.maximum(mean, tf.scalar(least))));
}

/** What a browser needs to know beside the graph. */
function metadataOf(
  { classes, preprocessing, network, training, licence }: CheckpointMetadata,
  crops: 1 | 5,
  threshold: number | undefined,
) {
  return {
    labels: classes,
    preprocessing,
    crops,
    ...(threshold === undefined ? {} : { threshold }),
    network: networkName(network),
    run: training.run,
    ...(licence === undefined ? {} : { licence }),
  };
}

function valueOf(name: string, dtype: 'int32' | 'float32', shape: readonly number[]) {
  return { name: `${name}:0`, dtype: typeName(dtype), tensorShape: openShape(shape) };
}

/** Bytes cut into files. */
function shardsOf(bytes: Uint8Array): Map<string, Uint8Array> {
  const count = Math.max(1, Math.ceil(bytes.length / shardBytes));
  return new Map(
    Array.from({ length: count }, (_, at) => [
      `group1-shard${at + 1}of${count}.bin`,
      bytes.subarray(at * shardBytes, (at + 1) * shardBytes),
    ]),
  );
}

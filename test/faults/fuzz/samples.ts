import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckpointMetadata } from '../../../src/protocol/checkpointMetadata.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { networkGraph } from '../../../src/ml/networks/registry.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { globalAveragePool } from '../../../src/ml/operators/pooling/globalAveragePool.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import { encodeOnnx } from '../../../src/ml/onnx/onnxModel.ts';
import { writeOnnx } from '../../../src/ml/lowering/writeOnnx.ts';
import { float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';
import { exportNetwork, exportWith } from '../../unit/export/exports.ts';
import { writeCheckpoint } from '../../../src/ml/weights/checkpoint.ts';
import { initialise, torchDefaults } from '../../../src/ml/networks/initialise.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { resumePath } from '../../../src/runs/checkpointFiles.ts';
import { readCheckpointMetadata } from '../../../src/runs/checkpointHeader.ts';

/** Sound files of every kind, which the mutations begin with. */
export interface Samples {
  readonly checkpoint: Uint8Array;
  readonly resume: Uint8Array;
  /** A foreign model, and two that we exported: the network alone, and the whole. */
  readonly onnx: readonly Uint8Array[];
  /** In torch's zip format and in the one before. */
  readonly torch: readonly Uint8Array[];
  readonly settings: object;
  readonly classNames: object;
  readonly run: { readonly record: object; readonly events: string };
}

export const imageSize = 16;
export const sampleNetwork = 'ConvNet1';
const head = { hidden: [4], dropout: 0, classes: 3 };
const classes = ['daisy', 'rose', 'tulip'].map((folder, index) => ({ index, folder, name: `a ${folder}` }));

export const sampleShapes = stateShapes(networkGraph(sampleNetwork, head));

const settings = {
  version: 1,
  data: 'flowers',
  network: { kind: 'architecture', name: sampleNetwork },
  method: 'scratch',
  hidden: [4],
  imageSize,
  resize: 20,
  batchSize: 4,
};

export async function makeSamples(): Promise<Samples> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-samples-'));
  try {
    const path = join(folder, 'last.safetensors');
    const state = initialise(sampleShapes, torchDefaults, 1);
    const metadata: CheckpointMetadata = {
      version: 1,
      network: { kind: 'architecture', name: sampleNetwork },
      head,
      classes,
      preprocessing: { resize: 20, crop: imageSize, ...presetConstants('imagenet') },
      training: { run: 'run', method: 'scratch', step: 1, epoch: 1, data: 'flowers' },
      metrics: {},
      created: new Date(0).toISOString(),
    };
    const optimizer = new Map(
      [...state].flatMap(([name, { dtype, shape }]) =>
        dtype === 'float32' ? [[`${name}.exp_avg`, float32Tensor(shape)] as const] : [],
      ),
    );
    const resume = {
      version: 1 as const,
      run: 'run',
      config: trainingConfigSchema.parse(settings),
      step: 1,
      epoch: 1,
      batchInEpoch: 0,
      microBatchSize: 4,
      trainLoss: { sum: 0, images: 0 },
      earlyStop: { epochsWithoutBetter: 0 },
    };
    await writeCheckpoint(path, state, metadata, { optimizer, resume });
    const weights = join(import.meta.dirname, '../../unit/weights/files');
    return {
      checkpoint: await readFile(path),
      resume: await readFile(resumePath(path, await readCheckpointMetadata(path))),
      onnx: [foreignModel(), await exportNetwork(path), (await exportWith(path)).bytes],
      torch: ['zip.pth', 'legacy.pth'].map((name) => readFileSync(join(weights, name))),
      settings,
      run: sampleRun(),
      classNames: { daisy: 'a daisy', rose: 'a rose', '21': 'fire lily', tulip: 'a tulip' },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function foreignModel(): Uint8Array {
  const builder = createGraphBuilder();
  const pixels = input(builder, 'pixels', [1, 3, imageSize, imageSize]);
  const map = relu(builder, conv2d(builder, 'conv', pixels, { channels: 4, kernel: 3, stride: 2 }));
  const graph = finishGraph(builder, [linear(builder, 'scores', globalAveragePool(builder, map), 5)]);
  const constants = initialise(stateShapes(graph), torchDefaults, 2);
  return encodeOnnx(writeOnnx(graph, { constants, openBatch: true }));
}

function sampleRun(): Samples['run'] {
  const time = '2026-01-02T03:04:05.000Z';
  const record = {
    version: 1,
    name: 'a',
    created: time,
    updated: time,
    state: 'finished',
    config: trainingConfigSchema.parse(settings),
    environment: { fivecrop: '0.1.0', node: 'v20', platform: 'linux-x64', fallbacks: [] },
    process: { pid: 4242, started: time, host: 'here' },
    progress: { step: 2, totalSteps: 4, epoch: 0.5, stepsPerEpoch: 4 },
    best: { step: 2, validLoss: 0.5, validAccuracy: 0.5 },
  };
  const speed = { imagesPerSecond: 10, memoryBytes: 1000, device: 'cpu' };
  const events = [
    { event: 'step', time, step: 1, epoch: 0.25, loss: 1.5, learningRate: 0.001, ...speed },
    { event: 'step', time, step: 2, epoch: 0.5, loss: 1.25, learningRate: 0.001, ...speed },
    { event: 'validation', time, step: 2, epoch: 0.5, trainLoss: 1, validLoss: 1, validAccuracy: 0.5, validTop5: 1 },
    { event: 'done', time, state: 'finished', reason: 'The epoch is done.', step: 2 },
  ];
  return { record, events: events.map((event) => `${JSON.stringify(event)}\n`).join('') };
}

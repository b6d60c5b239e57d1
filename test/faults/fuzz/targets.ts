import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { trainingConfigFrom } from '../../../src/ml/cli/trainingConfigFrom.ts';
import { readClassNames } from '../../../src/ml/data/classNames.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { decodeOnnx, encodeOnnx, type OnnxModel } from '../../../src/ml/onnx/onnxModel.ts';
import type { Random } from '../../../src/ml/graph/random.ts';
import { type ClassifierSource, loadClassifier } from '../../../src/ml/inference/loadClassifier.ts';
import { readUsableCheckpoint } from '../../../src/ml/inference/usableCheckpoint.ts';
import { chooseSteps } from '../../../src/ml/training/run/chooseSteps.ts';
import { openNetwork } from '../../../src/ml/training/run/openNetwork.ts';
import { runNetwork } from '../../../src/ml/training/run/runNetwork.ts';
import { readResumePoint } from '../../../src/ml/weights/checkpoint.ts';
import { PickleError, unpickle } from '../../../src/ml/weights/pickle.ts';
import { loadWeightsFile, readWeights } from '../../../src/ml/weights/weightsFile.ts';
import { resumePath } from '../../../src/runs/checkpointFiles.ts';
import { readCheckpointMetadata } from '../../../src/runs/checkpointHeader.ts';
import { readEvents } from '../../../src/runs/events.ts';
import { listRuns } from '../../../src/runs/list.ts';
import { readRunRecord } from '../../../src/runs/record.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { trainingEventSchema } from '../../../src/protocol/trainingEvents.ts';
import { mutateBytes, mutateTree } from './mutate.ts';
import { type Samples, sampleNetwork, sampleShapes } from './samples.ts';

/** A reader of files that may come from anywhere. */
export interface Target {
  readonly name: string;
  /** A changed file, by random numbers alone. */
  readonly mutant: (random: Random, samples: Samples) => Uint8Array;
  /** Reads it as the product does and uses what is accepted. Throws user errors; all else is a fault. */
  readonly use: (bytes: Uint8Array, folder: string, samples: Samples) => Promise<void>;
}

const hooks = { call: () => undefined, persistent: () => null };

/** The five pickles at the beginning of a file in torch's old format. */
function picklesOf(bytes: Uint8Array): Uint8Array {
  let end = 0;
  for (let pickle = 0; pickle < 5; pickle++) ({ end } = unpickle(bytes, hooks, end));
  return bytes.subarray(0, end);
}

const half = (random: Random) => random.integer(2) === 0;

export const targets: readonly Target[] = [
  {
    name: 'checkpoint',
    mutant: (random, { checkpoint }) => mutateSafetensors(random, checkpoint, 'fivecrop'),
    use: async (bytes, folder) => {
      const file = await written(folder, 'best.safetensors', bytes);
      await classify({ kind: 'checkpoint', file });
    },
  },
  {
    name: 'resume',
    mutant: (random, { resume }) => mutateSafetensors(random, resume, 'resume'),
    use: async (bytes, folder, { checkpoint }) => {
      const path = await written(folder, 'last.safetensors', checkpoint);
      await writeFile(resumePath(path, await readCheckpointMetadata(path)), bytes);
      const { optimizer } = await readResumePoint(path, await readUsableCheckpoint(path));
      for (const { data } of optimizer.values()) requireFinite(data);
    },
  },
  {
    name: 'weights',
    mutant: (random, { checkpoint }) => mutateSafetensors(random, checkpoint),
    use: async (bytes, folder) => {
      const file = await written(folder, 'weights.safetensors', bytes);
      for (const { data } of (await readWeights(file, sampleShapes, { network: sampleNetwork })).values()) {
        requireFinite(data);
      }
    },
  },
  {
    name: 'torch zip',
    mutant: (random, { torch }) => mutateBytes(random, torch[0] ?? new Uint8Array()),
    use: readTorch,
  },
  {
    name: 'torch legacy',
    mutant: (random, { torch }) => mutateBytes(random, torch[1] ?? new Uint8Array()),
    use: readTorch,
  },
  {
    name: 'pickle',
    mutant: (random, { torch }) => mutateBytes(random, picklesOf(torch[1] ?? new Uint8Array())),
    use: (bytes) => {
      try {
        for (let end = 0; end < bytes.length;) ({ end } = unpickle(bytes, hooks, end));
        return Promise.resolve();
      } catch (error) {
        if (error instanceof PickleError) throw new UserError(error.message);
        throw error;
      }
    },
  },
  {
    name: 'onnx',
    mutant: (random, { onnx }) => mutateOnnx(random, onnx[random.integer(onnx.length)] ?? new Uint8Array()),
    use: async (bytes, folder) => {
      const file = await written(folder, 'model.onnx', bytes);
      await classify({ kind: 'backbone', file });
    },
  },
  {
    name: 'settings',
    mutant: (random, { settings }) => mutateJson(random, settings),
    use: async (bytes, folder) => {
      const file = await written(folder, 'a.fivecrop.json', bytes);
      const config = await trainingConfigFrom(undefined, { config: file });
      if (config.network.kind === 'backbone') return;
      const { network } = await openNetwork(config, () => undefined);
      runNetwork(chooseSteps(config, network, 3).config, network, 3);
    },
  },
  {
    name: 'class names',
    mutant: (random, { classNames }) => mutateJson(random, classNames),
    use: async (bytes, folder) => {
      const file = await written(folder, 'names.json', bytes);
      for (const pair of await readClassNames(folder, file)) {
        if (pair.some((text) => typeof text !== 'string' || text.length > 1000)) throw new Error('a name is no name');
      }
    },
  },
  {
    name: 'run record',
    mutant: (random, { run }) => mutateJson(random, run.record),
    use: (bytes, folder, { run }) => readRun(folder, bytes, Buffer.from(run.events)),
  },
  {
    name: 'events',
    mutant: (random, { run }) =>
      half(random) ? mutateBytes(random, Buffer.from(run.events)) : mutateLines(random, run.events),
    use: (bytes, folder, { run }) => readRun(folder, Buffer.from(JSON.stringify(run.record)), bytes),
  },
];

async function written(folder: string, name: string, bytes: Uint8Array): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, bytes);
  return file;
}

async function readTorch(bytes: Uint8Array, folder: string): Promise<void> {
  const state = await loadWeightsFile(await written(folder, 'weights.pth', bytes));
  for (const { shape, data } of state.values()) {
    if (shape.reduce((product, size) => product * size, 1) !== data.length) throw new Error('a shape is not filled');
  }
}

async function readRun(folder: string, record: Uint8Array, events: Uint8Array): Promise<void> {
  const run = join(folder, 'runs', 'a');
  await mkdir(run, { recursive: true });
  await writeFile(join(run, 'metrics.jsonl'), events);
  await writeFile(join(run, 'run.json'), record);
  await listRuns(join(folder, 'runs'));
  for await (const { events: found } of readEvents(run)) {
    for (const event of found) trainingEventSchema.parse(event);
  }
  await readRunRecord(run);
}

/** What loads must classify: rows of probabilities that add up to 1. */
async function classify(source: ClassifierSource): Promise<void> {
  const untried = () => Promise.resolve();
  const classifier = await loadClassifier(source, { engine: onnxEngine, device: 'cpu' }, { trial: untried });
  try {
    const { crop } = classifier.preprocessing;
    const data = Uint8Array.from({ length: 3 * crop * crop }, (_, at) => (at * 37) % 256);
    const found = await classifier.probabilities({ dtype: 'uint8', shape: [1, 3, crop, crop], data });
    requireFinite(found.data);
    const sum = found.data.reduce((total, value) => total + value, 0);
    if (found.data.length !== classifier.labels.length || Math.abs(sum - 1) > 0.021) {
      throw new Error(`${found.data.length} probabilities of ${classifier.labels.length} classes add up to ${sum}`);
    }
  } finally {
    await classifier.dispose();
  }
}

function requireFinite(data: Float32Array | BigInt64Array | Uint8Array): void {
  if (data instanceof Float32Array && !data.every(Number.isFinite)) throw new Error('numbers are not finite');
}

function mutateJson(random: Random, value: unknown): Uint8Array {
  const text = Buffer.from(JSON.stringify(half(random) ? value : mutateTree(random, value)));
  return random.integer(3) === 0 ? mutateBytes(random, text) : text;
}

function mutateLines(random: Random, text: string): Uint8Array {
  const lines = text.split('\n').filter((line) => line !== '');
  const changed = lines.map((line) => (half(random) ? JSON.stringify(mutateTree(random, JSON.parse(line))) : line));
  return Buffer.from(changed.join(random.integer(4) === 0 ? '' : '\n'));
}

/** Bytes, or the header as what it is, or the JSON under `key` within it. */
function mutateSafetensors(random: Random, bytes: Uint8Array, key?: string): Uint8Array {
  if (random.integer(3) === 0) return mutateBytes(random, bytes);
  const length = Number(Buffer.from(bytes).readBigUInt64LE(0));
  const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString()) as Record<string, unknown>;
  const metadata = header['__metadata__'] as Record<string, string>;
  const inner = key === undefined ? undefined : metadata[key];
  let changed: unknown;
  if (key !== undefined && inner !== undefined && half(random)) {
    const text = JSON.stringify(mutateTree(random, JSON.parse(inner)));
    changed = { ...header, __metadata__: { ...metadata, [key]: text } };
  } else changed = mutateTree(random, header);
  const json = Buffer.from(JSON.stringify(changed));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([start, json, bytes.subarray(8 + length)]);
}

const operators = [
  'Relu',
  'Conv',
  'Gemm',
  'MatMul',
  'Reshape',
  'Loop',
  'If',
  'Expand',
  'Tile',
  'Nope',
  'Softmax',
  'Pad',
];

/** Bytes, or the message as what it is: nodes are joined anew, shapes and attributes changed. */
function mutateOnnx(random: Random, bytes: Uint8Array): Uint8Array {
  if (random.integer(3) === 0) return mutateBytes(random, bytes);
  const model = mutateTree(random, plainModel(decodeOnnx(bytes))) as OnnxModel;
  try {
    if (random.integer(4) === 0) {
      const node = model.graph.node[random.integer(model.graph.node.length)];
      if (node) node.opType = operators[random.integer(operators.length)] ?? '';
    }
    return encodeOnnx(model);
  } catch {
    // A tree that is no model any more.
    return mutateBytes(random, bytes);
  }
}

/** Numbers of 64 bits as numbers and no nulls, so that all of it can be changed and encoded. */
function plainModel(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if ('toNumber' in value && typeof value.toNumber === 'function') return Number(value);
  if (Array.isArray(value)) return value.map(plainModel);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) => (part === null ? [] : [[key, plainModel(part)]])),
  );
}

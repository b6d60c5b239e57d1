import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunCatalogue } from '../../src/extension/trainer/runCatalogue.ts';
import { createSweepCatalogue } from '../../src/extension/trainer/sweepCatalogue.ts';
import { sweepVersion } from '../../src/protocol/sweep.ts';
import { listRunCheckpoints } from '../../src/runs/checkpointFiles.ts';
import { openTrialLog, writeSweep } from '../../src/runs/sweep.ts';
import { watchRuns } from '../../src/runs/watch.ts';
import { float32Tensor } from '../../src/ml/graph/tensor.ts';
import { writeSafetensors } from '../../src/ml/weights/safetensors.ts';
import type { CheckpointMetadata } from '../../src/protocol/checkpointMetadata.ts';
import { preprocessPresets } from '../../src/protocol/preprocessing.ts';
import { writeRun } from '../../test/unit/extension/storedRun.ts';
import { peakMebibytes, report } from './report.ts';

/* What the tree of checkpoints does with a folder of runs: `manyRuns.ts RUNS CHECKPOINTS_OF_EACH TRIALS_OF_A_SWEEP`. */
const [runs = 1000, checkpointsOfEach = 10, trials = 200] = process.argv.slice(2).map(Number);

const metadata: CheckpointMetadata = {
  version: 1,
  network: { kind: 'architecture', name: 'resnet18' },
  head: { hidden: [1024], dropout: 0.5, classes: 102 },
  classes: Array.from({ length: 102 }, (_, index) => ({ index, folder: String(index + 1), name: `flower ${index}` })),
  preprocessing: { ...preprocessPresets.imagenet, mean: [0, 0, 0], std: [1, 1, 1], resize: 255, crop: 224 },
  training: { run: 'run', method: 'head', step: 1, epoch: 1, data: '/data' },
  metrics: { validAccuracy: 0.9 },
  created: '2026-01-01T00:00:00.000Z',
};

async function writeWithCheckpoints(parent: string, name: string, checkpoint: string): Promise<string> {
  const folder = await writeRun(parent, name);
  for (let epoch = 1; epoch <= checkpointsOfEach; epoch++) {
    await copyFile(checkpoint, join(folder, 'checkpoints', `epoch-${epoch}.safetensors`));
  }
  return folder;
}

/** A sweep whose trials are the first runs. */
async function writeSweepOf(parent: string): Promise<string> {
  const folder = join(parent, 'sweep');
  await mkdir(folder);
  const space = {
    ...{ data: '/data', network: metadata.network, epochs: 30, trials, sampler: 'random' },
    learningRate: { log: [0.0001, 0.01] },
  };
  const settings = Array.from({ length: trials }, (_, index) => ({ learningRate: 0.0001 * (index + 1) }));
  await writeSweep(folder, { version: sweepVersion, created: '2026-01-01T00:00:00.000Z', space, trials: settings });
  const log = await openTrialLog(folder);
  for (let trial = 1; trial <= trials; trial++) {
    await log.add({ event: 'begun', trial, rung: 0, run: `run-${trial - 1}` });
    if (trial < trials)
      await log.add({ event: 'reached', trial, rung: 0, epochs: 30, accuracy: trial / 1000, loss: 1 });
  }
  await log.close();
  return folder;
}

async function milliseconds(work: () => unknown): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

const parent = await mkdtemp(join(tmpdir(), 'fivecrop-bench-'));
try {
  const checkpoint = join(parent, 'any.safetensors');
  const state = new Map([['fc.bias', float32Tensor([1], new Float32Array(1))]]);
  await writeSafetensors(checkpoint, state, { fivecrop: JSON.stringify(metadata) });
  const folders: string[] = [];
  for (let index = 0; index < runs; index++)
    folders.push(await writeWithCheckpoints(parent, `run-${index}`, checkpoint));
  const sweep = await writeSweepOf(parent);
  const catalogue = createRunCatalogue();
  const sweeps = createSweepCatalogue();
  const list = await milliseconds(async () => {
    await sweeps.scan([parent]);
    await catalogue.scan([parent]);
  });
  if (sweeps.get(sweep)?.standings.length !== trials) throw new Error('the sweep was not listed');
  if (catalogue.runs().length !== runs) throw new Error(`${catalogue.runs().length} runs were listed`);
  let end = (): void => undefined;
  const watch = await milliseconds(
    () => (end = watchRuns(parent, { onPath: () => undefined, onError: console.error })),
  );
  end();
  let found = 0;
  const open = await milliseconds(async () => {
    for (const folder of folders) {
      const checkpoints = await listRunCheckpoints(folder);
      found += checkpoints.filter((checkpoint) => checkpoint.metadata !== undefined).length;
    }
  });
  if (found !== runs * checkpointsOfEach) throw new Error(`${found} checkpoints were read`);
  report({ list, watch, open: open / 1000, memory: peakMebibytes() });
} finally {
  await rm(parent, { recursive: true });
}

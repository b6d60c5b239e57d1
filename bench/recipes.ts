/*
 * How accurate a head becomes by each recipe, and by what recipes are made of, one by one: `node --import tsx
 * bench/recipes.ts [--network NAME] [--rows PATTERN]`. Trains on an eighth of the training images of every fourth class of Flowers-102 and
 * judges the last weights on those of test and another eighth, by which nothing is chosen: recipes were chosen on the images of validation. Prints
 * a line as soon as its seeds are done.
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { scanDataset } from '../src/ml/data/scanDataset.ts';
import { meanAndDeviation } from '../src/ml/cli/seedRuns.ts';
import type { Engine, Feeds } from '../src/ml/engine/engine.ts';
import { onnxEngine } from '../src/ml/engine/onnxruntime/onnxEngine.ts';
import type { Tensor } from '../src/ml/graph/tensor.ts';
import { trainRun } from '../src/ml/training/run/trainRun.ts';
import { presetConstants } from '../src/protocol/preprocessing.ts';
import { withRecipe } from '../src/protocol/recipes.ts';
import { givenConfigSchema, type TrainingConfigInput } from '../src/protocol/trainingConfig.ts';

type Settings = Partial<TrainingConfigInput>;

const shared = join(import.meta.dirname, '../../shared/data');
const seeds = [0, 1, 2];
const { values: asked } = parseArgs({
  options: { network: { type: 'string' }, rows: { type: 'string' } },
});

const networks: Readonly<Record<string, TrainingConfigInput['network']>> = {
  MobileNetV2: {
    kind: 'backbone',
    file: join(shared, 'backbones/mobilenet_v2_1.0_224.onnx'),
    preprocessing: presetConstants('tf'),
  },
  SqueezeNet: {
    kind: 'backbone',
    file: join(shared, 'backbones/squeezenet1_1.onnx'),
    preprocessing: presetConstants('caffe-bgr'),
  },
};

const quick: Settings = { recipe: 'quick' };
const rows: Readonly<Record<string, Settings>> = {
  report: { recipe: 'report' },
  quick,
  strong: { recipe: 'strong' },
  'quick, linear head': { ...quick, hidden: [] },
  'quick, no label smoothing': { ...quick, labelSmoothing: 0 },
  'quick, constant rate': { ...quick, schedule: 'constant' },
  'quick, cosine to a tenth': { ...quick, minLearningRate: 0.0001 },
  'quick, no dropout': { ...quick, dropout: 0 },
  'quick, average of weights, 0.99': { ...quick, emaDecay: 0.99 },
  'quick, balanced sampling': { ...quick, sampling: 'balanced' },
  'quick, focal loss, gamma 2': { ...quick, focalGamma: 2 },
  'quick, fit squash': { ...quick, fit: 'squash' },
  'quick, fit pad': { ...quick, fit: 'pad' },
  'quick, rate 0.0003': { ...quick, learningRate: 0.0003 },
  'quick, rate 0.003': { ...quick, learningRate: 0.003 },
  'quick, 10 epochs': { ...quick, epochs: 10 },
  'quick, 10 epochs, mixup 0.2': { ...quick, epochs: 10, mixup: 0.2 },
  'quick, 8 views (crop)': { ...quick, augment: 'crop', featureViews: 8 },
};

/** Runs of one seed show the frozen network the same batches, so that each is computed once. */
function remembering(engine: Engine): Engine {
  const known = new Map<string, Map<string, Tensor>>();
  return {
    ...engine,
    compileOnnx: async (model, device) => {
      const compiled = await engine.compileOnnx(model, device);
      const run = async (feeds: Feeds) => {
        const hash = createHash('sha1');
        for (const { data } of feeds.values())
          hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        const key = hash.digest('hex');
        const outputs = known.get(key) ?? (await compiled.run(feeds));
        known.set(key, outputs);
        return outputs;
      };
      return { ...compiled, run };
    },
  };
}

/** Writes the images into a folder of splits; says how many there are to train on and to judge by. */
async function prepareData(folder: string): Promise<string> {
  const { classes, splits } = await scanDataset(join(shared, 'flowers'), { validShare: 0, testShare: 0, seed: 0 });
  const used = (index: number) => index % 4 === 0;
  const copied = { train: 0, valid: 0 };
  const seen = new Map<number, number>();
  const copy = async (file: string, split: keyof typeof copied) => {
    const target = join(folder, split, basename(dirname(file)));
    await mkdir(target, { recursive: true });
    await copyFile(file, join(target, basename(file)));
    copied[split]++;
  };
  for (const { file, classIndex } of splits.train) {
    const place = seen.get(classIndex) ?? 0;
    seen.set(classIndex, place + 1);
    if (used(classIndex) && place % 8 === 0) await copy(file, 'train');
    if (used(classIndex) && place % 8 === 4) await copy(file, 'valid');
  }
  for (const { file, classIndex } of splits.test) if (used(classIndex)) await copy(file, 'valid');
  return `${classes.filter((_, index) => used(index)).length} classes, ${copied.train} images to train on, ${copied.valid} to judge by`;
}

/** Accuracy of the last weights. */
async function accuracyOf(settings: object, engine: Engine, out: string): Promise<number> {
  const config = givenConfigSchema.parse(withRecipe({ validateEvery: 1e6, ...settings }));
  let accuracy = 0;
  await trainRun(config, {
    out,
    chooseEngine: () => Promise.resolve({ engine, device: 'cpu', fallbacks: [] }),
    onEvent: (event) => {
      if (event.event === 'validation') accuracy = event.validAccuracy;
    },
  });
  await rm(out, { recursive: true });
  return accuracy;
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-recipes-'));
  try {
    const data = join(folder, 'data');
    console.log(await prepareData(data));
    const measured = Object.entries(networks).filter(([name]) => asked.network === undefined || asked.network === name);
    const opened = measured.map(([name, network]) => ({ name, network, engine: remembering(onnxEngine) }));
    const pattern = new RegExp(asked.rows ?? '', 'u');
    for (const [row, settings] of Object.entries(rows).filter(([row]) => pattern.test(row))) {
      for (const { name, network, engine } of opened) {
        const begun = performance.now();
        const accuracies: number[] = [];
        for (const seed of seeds) {
          accuracies.push(await accuracyOf({ data, network, seed, ...settings }, engine, join(folder, 'runs')));
        }
        const { mean, deviation } = meanAndDeviation(accuracies);
        const each = accuracies.map((accuracy) => accuracy.toFixed(4)).join(' ');
        const seconds = ((performance.now() - begun) / 1000).toFixed(0);
        console.log(`| ${row} | ${name} | ${mean.toFixed(4)} ± ${deviation.toFixed(4)} | ${each} | ${seconds} s |`);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();

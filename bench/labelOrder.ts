/*
 * How many labels a head needs by the order in which images are labelled: `node --import tsx bench/labelOrder.ts
 * [mobilenet|squeezenet] [SET…] [--orders chosen,random] [--heads selfTrained,labels] [--seeds 0,1,2] [--json FILE]`. The
 * head of `labels` learns from those alone, the self-trained one also from its guesses of images that may still be labelled;
 * with `guides` that one chooses the images and the other one is judged. The classes of Flowers-102 are
 * shuffled into five sets of 20; `hard` is 20 of the 40 classes that are confused most, and `hard2` the other 20. `46:3` is
 * drawn by the seed 3 from every other of the 46 classes that are confused most, which no order was tried on. From 5 labels a class, drawn
 * by seed from seven tenths of the training images, images are labelled one by one and the head is fitted again after each
 * `every`; the accuracy is over all other images of the classes, which are never labelled. Prints the curves with their mean
 * (`area`), and how many labels more than the first ones are needed until the accuracy is `--goal` and stays there on average. `--keep FILE` writes
 * the features of the one set that is named in few numbers instead, for test/unit/cleaning/nextToLabel.test.ts.
 */
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Candidates, nextToLabel, uncertainties } from '../src/ml/cleaning/nextToLabel.ts';
import { widestRows } from '../src/ml/cleaning/labellingSession.ts';
import { createDecodePool } from '../src/ml/data/decodePool.ts';
import { samplesOf } from '../src/ml/data/digestImages.ts';
import { scanDataset } from '../src/ml/data/scanDataset.ts';
import { onnxEngine } from '../src/ml/engine/onnxruntime/onnxEngine.ts';
import { openFeatureModel } from '../src/ml/features/featureModel.ts';
import { imageFeatures } from '../src/ml/features/imageFeatures.ts';
import { unitRows } from '../src/ml/features/neighbours.ts';
import { projectedRows } from '../src/ml/features/projectedRows.ts';
import { createRidgeHead } from '../src/ml/features/ridgeHead.ts';
import { createSelfTrainedHead } from '../src/ml/features/selfTrainedHead.ts';
import { rootedRows } from '../src/ml/features/rootedRows.ts';
import { createRandom, permutation, type Random } from '../src/ml/graph/random.ts';
import { presetConstants } from '../src/protocol/preprocessing.ts';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    orders: { type: 'string', default: 'chosen,random' },
    heads: { type: 'string', default: 'selfTrained,labels' },
    seeds: { type: 'string', default: '0,1,2' },
    goal: { type: 'string', default: '0.85' },
    every: { type: 'string', default: '1' },
    most: { type: 'string', default: '200' },
    json: { type: 'string' },
    keep: { type: 'string' },
  },
});
const [name = 'mobilenet', ...setNames] = positionals;
const shared = join(import.meta.dirname, '../../shared/data');
const placement = { engine: onnxEngine, device: 'cpu' };
const source =
  name === 'squeezenet'
    ? { file: join(shared, 'backbones/squeezenet1_1.onnx'), preprocessing: presetConstants('caffe-bgr') }
    : { file: join(shared, 'backbones/mobilenet_v2_1.0_224.onnx'), preprocessing: presetConstants('tf') };
const [goal, classesOfSet, firstOfEach] = [Number(flags.goal), 20, 5];
const [every, most] = [Number(flags.every), Number(flags.most)];

/** Which of the open rows are labelled next, so many. */
type Order = (candidates: Candidates, count: number, random: Random) => readonly number[];

function byMargin({ head, open }: Candidates, count: number): number[] {
  const unsure = head ? uncertainties(head.probabilities, head.classes, open) : new Float64Array(open.length);
  return [...open.keys()].sort((a, b) => (unsure[b] ?? 0) - (unsure[a] ?? 0)).slice(0, count).map((at) => open[at] ?? 0); // prettier-ignore
}

function byEntropy({ head, open }: Candidates, count: number): number[] {
  const entropy = new Map(open.map((row) => {
    const own = [...(head?.probabilities.subarray(row * head.classes, (row + 1) * head.classes) ?? [])];
    return [row, own.reduce((sum, share) => sum - (share > 0 ? share * Math.log(share) : 0), 0)];
  })); // prettier-ignore
  return open.toSorted((a, b) => (entropy.get(b) ?? 0) - (entropy.get(a) ?? 0)).slice(0, count);
}

const orders: Readonly<Record<string, Order>> = {
  chosen: nextToLabel,
  random: ({ open }, count, random) => [...permutation(open.length, random)].slice(0, count).map((at) => open[at] ?? 0),
  margin: byMargin,
  entropy: byEntropy,
  spread: (candidates, count) => nextToLabel({ ...candidates, head: undefined }, count),
};

const model = await openFeatureModel({ kind: 'backbone', ...source }, placement, { log: console.error });
const pool = createDecodePool();
const dataset = await scanDataset(join(shared, 'flowers'), { validShare: 0, testShare: 0, seed: 0 });
const samples = samplesOf(dataset).sort((a, b) => (basename(a.file) < basename(b.file) ? -1 : 1));
const features = await imageFeatures(model, samples, { pool, log: console.error, onProgress: (done, total) => done % 640 === 0 && console.error(`${done} of ${total}`) }); // prettier-ignore
await pool.dispose();
await model.dispose();
const trained = new Set(dataset.splits.train);
const shuffled = [...permutation(dataset.classes.length, createRandom(0, 'sets'))];

interface Curve {
  readonly labels: number[];
  readonly accuracy: number[];
}

/** Classes by how many of their images a head over all classes gets right, the fewest first. */
async function hardestFirst(): Promise<number[]> {
  const order = await createRidgeHead(
    await projectedRows(
      rootedRows(features, () => true),
      () => true,
      widestRows,
      placement,
    ),
    placement,
  );
  const { probabilities } = await order.fit(Int32Array.from(samples, ({ classIndex }) => classIndex), dataset.classes.length); // prettier-ignore
  await order.dispose();
  const [right, all] = [new Float64Array(dataset.classes.length), new Float64Array(dataset.classes.length)];
  samples.forEach(({ classIndex }, row) => {
    const own = probabilities.subarray(row * right.length, (row + 1) * right.length);
    all[classIndex] = (all[classIndex] ?? 0) + 1;
    if (own.indexOf(Math.max(...own)) === classIndex) right[classIndex] = (right[classIndex] ?? 0) + 1;
  });
  const share = (index: number) => (right[index] ?? 0) / (all[index] ?? 1);
  return [...all.keys()].sort((a, b) => share(a) - share(b));
}

const hardest = setNames.some((set) => /^hard|:/u.test(set)) ? await hardestFirst() : [];

function classesOf(set: string): number[] {
  const [, from, seed] = /^(\d+):(\d+)$/u.exec(set) ?? [];
  if (from !== undefined && seed !== undefined) {
    const untried = hardest.slice(0, Number(from)).filter((_, at) => at % 2 === 1);
    const order = permutation(untried.length, createRandom(Number(seed), 'classes', Number(from)));
    return [...order.subarray(0, classesOfSet)].map((at) => untried[at] ?? 0);
  }
  if (set === 'hard') return hardest.slice(0, 40).filter((_, at) => at % 2 === 0);
  if (set === 'hard2') return hardest.slice(0, 40).filter((_, at) => at % 2 === 1);
  return shuffled.slice(Number(set) * classesOfSet, (Number(set) + 1) * classesOfSet);
}

async function label(set: string, seed: number, order: Order, learnsFrom: string): Promise<Curve> {
  const chosen = classesOf(set);
  const own = [...samples.keys()].filter((at) => chosen.includes(samples[at]?.classIndex ?? -1));
  const truth = own.map((at) => chosen.indexOf(samples[at]?.classIndex ?? -1));
  const { width } = features;
  const raw = new Float32Array(own.length * width);
  own.forEach((at, row) => raw.set(features.features.subarray(at * width, (at + 1) * width), row * width));
  const rows = await projectedRows(
    rootedRows({ width, features: raw }, () => true),
    () => true,
    widestRows,
    placement,
  );
  const unit = { width: rows.width, features: unitRows(rows.features, rows.width, [...own.keys()]) };
  const head = await createSelfTrainedHead(rows, placement);
  const labels = new Int32Array(own.length).fill(-1);
  const [open, judged] = [new Set<number>(), new Set<number>()];
  const random = createRandom(seed, 'labels', set);
  chosen.forEach((_, index) => {
    const ofClass = [...own.keys()].filter((row) => truth[row] === index);
    const mayBeLabelled = ofClass.filter((row) => trained.has(samples[own[row] ?? 0] ?? { file: '', classIndex: 0 }));
    const drawn = [...permutation(mayBeLabelled.length, random)].map((at) => mayBeLabelled[at] ?? 0);
    const kept = drawn.slice(0, Math.round(drawn.length * 0.7));
    for (const row of ofClass) if (!kept.includes(row)) judged.add(row);
    for (const row of kept.slice(0, firstOfEach)) labels[row] = index;
    for (const row of kept.slice(firstOfEach)) open.add(row);
  });
  const curve: Curve = { labels: [], accuracy: [] };
  for (let count = 0; count <= most; count += every) {
    const { probabilities, leftOut } = await head.fit(labels, chosen.length, (row) => learnsFrom !== 'labels' && open.has(row)); // prettier-ignore
    const shown = learnsFrom === 'guides' ? leftOut : probabilities;
    const right = [...judged].filter((row) => {
      const shares = shown.subarray(row * chosen.length, (row + 1) * chosen.length);
      return shares.indexOf(Math.max(...shares)) === truth[row];
    });
    curve.labels.push(count);
    curve.accuracy.push(right.length / judged.size);
    const labelled = [...labels.keys()].filter((row) => (labels[row] ?? -1) >= 0);
    const candidates = { unit, head: { probabilities, classes: chosen.length }, open: [...open], labelled };
    for (const row of order(candidates, every, random)) {
      labels[row] = truth[row] ?? -1;
      open.delete(row);
    }
  }
  await head.dispose();
  return curve;
}

/** Labels from which on the mean accuracy with this one and the next four is the goal; undefined if it is not reached. */
function labelsNeeded({ labels, accuracy }: Curve): number | undefined {
  const at = labels.findIndex((_, place) => {
    const some = accuracy.slice(place, place + Math.max(1, Math.round(5 / every)));
    return some.reduce((sum, share) => sum + share, 0) / some.length >= goal;
  });
  return labels[at];
}

function mean(curves: readonly Curve[]): Curve {
  const [first] = curves;
  const labels = first?.labels ?? [];
  return { labels, accuracy: labels.map((_, at) => curves.reduce((sum, { accuracy }) => sum + (accuracy[at] ?? 0), 0) / curves.length) }; // prettier-ignore
}

/** Half of the images of a set, as bytes: features that are projected onto 32 of them, scaled together. */
async function keep(set: string, file: string): Promise<void> {
  const chosen = classesOf(set);
  const own = [...samples.keys()].filter((at) => at % 2 === 0 && chosen.includes(samples[at]?.classIndex ?? -1));
  const { width } = features;
  const raw = new Float32Array(own.length * width);
  own.forEach((at, row) => raw.set(features.features.subarray(at * width, (at + 1) * width), row * width));
  const rows = await projectedRows(
    rootedRows({ width, features: raw }, () => true),
    () => true,
    32,
    placement,
  );
  const largest = rows.features.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const bytes = Int8Array.from(rows.features, (value) => Math.round((127 * value) / largest));
  const labels = own.map((at) => chosen.indexOf(samples[at]?.classIndex ?? -1));
  await writeFile(file, `${JSON.stringify({ width: rows.width, classes: chosen.length, labels: labels.join(' '), features: Buffer.from(bytes).toString('base64') }, null, 2)}\n`); // prettier-ignore
}

const results: { set: string; order: string; learnsFrom: string; curves: Curve[] }[] = [];
if (flags.keep !== undefined) await keep(setNames[0] ?? '0', flags.keep);
const sets = setNames.length > 0 ? setNames : ['1', '2', '3', '4', 'hard2'];
for (const set of flags.keep === undefined ? sets : []) {
  const ways = flags.orders.split(',').flatMap((key) => flags.heads.split(',').map((learnsFrom) => [key, learnsFrom] as const)); // prettier-ignore
  for (const [key, learnsFrom] of ways) {
    const order = orders[key];
    if (!order) throw new Error(`there is no order ${key}`);
    const curves: Curve[] = [];
    const startedAt = performance.now();
    for (const seed of flags.seeds.split(',').map(Number)) curves.push(await label(set, seed, order, learnsFrom));
    results.push({ set, order: key, learnsFrom, curves });
    const all = mean(curves);
    const points = all.labels.flatMap((labels, at) => (labels % 20 === 0 ? [`${labels}: ${(all.accuracy[at] ?? 0).toFixed(3)}`] : [])); // prettier-ignore
    const needed = [...curves, all].map((curve) => labelsNeeded(curve) ?? `over ${most}`);
    console.log(`${name} set ${set} ${key.padEnd(8)} ${learnsFrom.padEnd(12)} ${points.join(' ')} area ${(all.accuracy.reduce((sum, share) => sum + share, 0) / all.accuracy.length).toFixed(4)} | to ${goal}: ${needed.slice(0, -1).join(', ')}, by the mean curve ${needed.at(-1) ?? ''} (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`); // prettier-ignore
  }
}
if (flags.json !== undefined) await writeFile(flags.json, JSON.stringify(results));

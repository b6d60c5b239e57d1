import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as z from 'zod';
import { nextToLabel } from '../../../src/ml/cleaning/nextToLabel.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { unitRows } from '../../../src/ml/features/neighbours.ts';
import { createRidgeHead } from '../../../src/ml/features/ridgeHead.ts';
import { createRandom, permutation } from '../../../src/ml/graph/random.ts';

/** A few drawings, always the same: `bench/labelOrder.ts` says what the order brings on average. */
const [seed, drawings] = [2, [0, 1, 2, 3]];
const placement = { engine: onnxEngine, device: 'cpu' };

const fixtureSchema = z.object({ width: z.number(), classes: z.number(), labels: z.string(), features: z.string() });

/** Features of 20 classes of flowers, as `bench/labelOrder.ts --keep` wrote them. */
function flowers() {
  const file = join(import.meta.dirname, '../../fixtures/label_order.json');
  const { labels, features, ...about } = fixtureSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const bytes = Buffer.from(features, 'base64');
  const values = Float32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  return { ...about, labels: Int32Array.from(labels.split(' ').map(Number)), features: values };
}

const { width, classes, labels: truth, features } = flowers();
const unit = { width, features: unitRows(features, width, [...truth.keys()]) };
const [firstOfEach, step, most] = [5, 10, 80];

/** The accuracy over half of the images by number of labels of the other half, which are labelled in one of two orders. */
async function accuracies(order: 'chosen' | 'random', drawn: number): Promise<number[]> {
  const random = createRandom(seed, 'order', drawn);
  const head = await createRidgeHead({ width, features, projectedFrom: 512, keepsScale: true }, placement);
  const labels = new Int32Array(truth.length).fill(-1);
  const shuffled = [...permutation(truth.length, random)];
  const judged = shuffled.slice(0, truth.length / 2);
  let open = shuffled.slice(judged.length);
  for (let index = 0; index < classes; index++) {
    for (const row of open.filter((each) => truth[each] === index).slice(0, firstOfEach)) labels[row] = index;
  }
  const found: number[] = [];
  for (let count = 0; count <= most; count += step) {
    const fit = await head.fit(labels, classes);
    const { probabilities } = fit;
    const isRight = (row: number) => {
      const own = probabilities.subarray(row * classes, (row + 1) * classes);
      return own.indexOf(Math.max(...own)) === truth[row];
    };
    found.push(judged.filter(isRight).length / judged.length);
    open = open.filter((row) => labels[row] === -1);
    const labelled = [...labels.keys()].filter((row) => (labels[row] ?? -1) >= 0);
    const next = order === 'chosen' ? nextToLabel({ unit, open, labelled, head: { ...fit, classes } }, step) : open.slice(0, step); // prettier-ignore
    for (const row of next) labels[row] = truth[row] ?? -1;
  }
  await head.dispose();
  return found;
}

test('half as many labels by the order of what teaches most are worth more, on average, than labels in random order', async () => {
  const mean = (curves: readonly number[][]) => curves[0]?.map((_, at) => curves.reduce((sum, curve) => sum + (curve[at] ?? 0), 0) / curves.length) ?? []; // prettier-ignore
  const of = async (order: 'chosen' | 'random') => mean(await Promise.all(drawings.map((drawn) => accuracies(order, drawn)))); // prettier-ignore
  const [chosen, random] = [await of('chosen'), await of('random')];
  const places = [1, 2, 3, 4];
  const average = (curve: readonly number[], share: number) => places.reduce((sum, at) => sum + (curve[at * share] ?? NaN), 0) / places.length; // prettier-ignore
  const [half, all] = [average(chosen, 1), average(random, 2)];
  console.log(`${half.toFixed(3)} by half the labels, ${all.toFixed(3)} by all in random order, from ${random[0]?.toFixed(3) ?? ''}`); // prettier-ignore
  assert.ok(half > all, `${chosen.join(' ')}, random ${random.join(' ')}`);
});

test('doubtful images come first, but none before one that is unlike those ahead of it', () => {
  const rows = [[1, 0], [0.999, 0.045], [0, 1], [-0.7, 0.714]]; // prettier-ignore
  const candidates = {
    unit: { width: 2, features: Float32Array.from(rows.flat()) },
    head: { classes: 2, probabilities: Float32Array.from([0.5, 0.5, 0.51, 0.49, 0.52, 0.48, 0.99, 0.01]) },
    open: [0, 1, 2, 3],
    labelled: [],
  };
  assert.deepEqual(nextToLabel(candidates, 4), [0, 2, 3, 1]);
  assert.deepEqual(nextToLabel({ ...candidates, open: [] }, 4), []);
});

test('the first images are the same however many are asked for', async () => {
  const head = await createRidgeHead({ width, features, projectedFrom: 512, keepsScale: true }, placement);
  const labels = truth.map((label, row) => (row % 5 === 0 ? label : -1));
  const fit = await head.fit(labels, classes);
  const rows = (isWanted: (label: number) => boolean) =>
    [...labels.keys()].filter((row) => isWanted(labels[row] ?? -1));
  const candidates = { unit, open: rows((label) => label < 0), labelled: rows((label) => label >= 0), head: { ...fit, classes } }; // prettier-ignore
  const all = nextToLabel(candidates, candidates.open.length);
  await head.dispose();
  assert.deepEqual(
    all.toSorted((a, b) => a - b),
    candidates.open,
  );
  for (const most of [0, 1, 7, 60]) assert.deepEqual(nextToLabel(candidates, most), all.slice(0, most));
});

test('without a head the images are first that are unlike those with labels and each other', () => {
  const rows = [[1, 0], [0.999, 0.045], [0, 1], [-1, 0]]; // prettier-ignore
  const features = Float32Array.from(rows.flat());
  const candidates = { unit: { width: 2, features }, head: undefined, open: [1, 2, 3], labelled: [0] }; // prettier-ignore
  assert.deepEqual(nextToLabel(candidates, 3), [3, 2, 1]);
});

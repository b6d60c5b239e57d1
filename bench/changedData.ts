import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, type Random } from '../src/ml/graph/random.ts';

/*
 * Rows of features with labels, of which some are wrong, and changes of these: what both sides of `changedData` work on.
 * The numbers do not come from images, since what they are does not change what a change costs.
 */
export const [rows, width, classes] = [8189, 768, 102];

/** A change of the labels; images are named by their rows, classes by their numbers. */
export type Change =
  | { readonly kind: 'move'; readonly row: number; readonly to: number }
  | { readonly kind: 'putAside'; readonly row: number }
  | { readonly kind: 'merge'; readonly from: number; readonly to: number }
  | { readonly kind: 'undo' | 'redo' };

const folder = join(tmpdir(), 'fivecrop-bench', 'changed');
export const featuresFile = join(folder, 'features.f32');
export const labelsFile = join(folder, 'labels.i32');
/** A `Change` a line. */
export const changesFile = join(folder, 'changes.jsonl');

/** How far the classes' centres lie from 0, in deviations within a class: about one image in eight is confused. */
const spread = 0.15;
const wrongLabels = 0.05;

/** Writes features, labels and so many changes: four in ten move an image, three put one aside, one merges two classes, two undo or redo. */
export async function prepareChanges(count: number): Promise<void> {
  const random = createRandom(0, 'changed data');
  const centres = Float32Array.from({ length: classes * width }, () => spread * random.normal());
  const features = new Float32Array(rows * width);
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = row % classes;
    for (let column = 0; column < width; column++) features[row * width + column] = (centres[own * width + column] ?? 0) + random.normal(); // prettier-ignore
    labels[row] = random.next() < wrongLabels ? random.integer(classes) : own;
  }
  const changes = drawChanges(labels, count, random);
  await mkdir(folder, { recursive: true });
  await writeFile(featuresFile, new Uint8Array(features.buffer));
  await writeFile(labelsFile, new Uint8Array(labels.buffer));
  await writeFile(changesFile, changes.map((change) => `${JSON.stringify(change)}\n`).join(''));
}

/** Labels, and what has been done and undone of them; -1 for a row that was put aside. */
export interface Labels {
  readonly now: Int32Array;
  readonly done: Int32Array[];
  readonly undone: Int32Array[];
}

function drawChanges(first: Int32Array, count: number, random: Random): Change[] {
  let labels: Labels = { now: first, done: [], undone: [] };
  const changes: Change[] = [];
  while (changes.length < count) {
    const change = drawChange(labels, random);
    const { now, done, undone } = labels;
    const after = changed(labels, change);
    if (!after) continue;
    changes.push(change);
    if (change.kind === 'undo') labels = { now: after, done: done.slice(0, -1), undone: [...undone, now] };
    else if (change.kind === 'redo') labels = { now: after, done: [...done, now], undone: undone.slice(0, -1) };
    else labels = { now: after, done: [...done, now], undone: [] };
  }
  return changes;
}

function drawChange({ now }: Labels, random: Random): Change {
  const [dice, row, to] = [random.integer(10), random.integer(rows), random.integer(classes)];
  if (dice < 4) return { kind: 'move', row, to };
  if (dice < 7) return { kind: 'putAside', row };
  if (dice < 8) return { kind: 'merge', from: now[row] ?? -1, to };
  return { kind: dice < 9 ? 'undo' : 'redo' };
}

/** The labels after a change; undefined for one that changes nothing, or that would give a row a class that is gone. */
function changed({ now, done, undone }: Labels, change: Change): Int32Array | undefined {
  switch (change.kind) {
    case 'undo':
      return done.at(-1);
    case 'redo':
      return undone.at(-1);
    case 'move':
    case 'putAside': {
      const to = change.kind === 'move' ? change.to : -1;
      const was = now[change.row] ?? -1;
      if (was < 0 || was === to || (to >= 0 && !now.includes(to)) || now.filter((label) => label === was).length < 2) return undefined; // prettier-ignore
      return now.with(change.row, to);
    }
    case 'merge':
      if (change.from < 0 || change.from === change.to || !now.includes(change.to)) return undefined;
      return now.map((label) => (label === change.from ? change.to : label));
  }
}

export interface ChangedData {
  readonly features: Float32Array;
  readonly labels: Int32Array;
  readonly changes: readonly Change[];
}

export async function readChanges(): Promise<ChangedData> {
  const [features, labels] = [await readFile(featuresFile), await readFile(labelsFile)];
  return {
    features: new Float32Array(features.buffer, features.byteOffset, rows * width),
    labels: new Int32Array(labels.buffer, labels.byteOffset, rows),
    changes: (await readFile(changesFile, 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as Change), // prettier-ignore
  };
}

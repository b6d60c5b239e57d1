import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCleaningSession } from '../../src/ml/cleaning/cleaningSession.ts';
import { readJournal } from '../../src/ml/cleaning/journal.ts';
import { keptImages } from '../../src/ml/cleaning/keptImages.ts';
import { createDecodePool } from '../../src/ml/data/decodePool.ts';
import { onnxEngineAside } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { type FeatureModel, qualityNumbers } from '../../src/ml/features/featureModel.ts';
import { readKeptFeatures, writeKeptFeatures } from '../../src/ml/features/keptFeatures.ts';
import { gridBytes } from '../../src/ml/features/samePicture.ts';
import { createRandom } from '../../src/ml/graph/random.ts';
import { editThenLook } from '../../src/ml/service/editData.ts';
import type { CleaningAction } from '../../src/protocol/cleaning.ts';
import { preprocessPresets } from '../../src/protocol/preprocessing.ts';
import { type Change, readChanges, width } from '../changedData.ts';
import { median } from '../result.ts';
import { peakMebibytes, processorSeconds, report } from './report.ts';

/*
 * What the service does with each change of a data folder, from the request to its figures: the edit on the disk, the look
 * at the folder, the head, and what it says. At the end all is compared with what a new session says: `changedData.ts`.
 */
const parent = await mkdtemp(join(tmpdir(), 'fivecrop-bench-'));
process.env['FIVECROP_CACHE'] = join(parent, 'cache');
const root = join(parent, 'data');
const { features, labels, changes } = await readChanges();
const placement = { engine: onnxEngineAside(), device: 'cpu' };
const pool = createDecodePool();
const model: FeatureModel = {
  ...{ width, key: 'changed', preprocessing: { ...preprocessPresets.imagenet, mean: [0, 0, 0], std: [1, 1, 1], resize: 255, crop: 224 } }, // prettier-ignore
  run: () => Promise.reject(new Error('all features are kept')),
  dispose: () => Promise.resolve(),
};

const folderOf = (label: number) => `class ${label}`;
const imageOf = (row: number, label: number) => `${folderOf(label)}/${row}.jpg`;

async function writeFolder(): Promise<void> {
  for (const label of new Set(labels)) await mkdir(join(root, folderOf(label)), { recursive: true });
  const files: string[] = [];
  for (const [row, label] of labels.entries()) {
    const file = join(root, imageOf(row, label));
    await writeFile(file, `image ${row}`);
    files.push(file);
  }
  const random = createRandom(0, 'quality');
  const found = {
    ...{ width, features, decoded: new Uint8Array(labels.length).fill(1) },
    quality: Float32Array.from({ length: labels.length * qualityNumbers }, () => 100 + 10 * random.normal()),
    grids: Uint8Array.from({ length: labels.length * gridBytes }, () => random.integer(256)),
  };
  await writeKeptFeatures(model, await readKeptFeatures(model), await pool.digest(files), found);
}

const openSession = () =>
  openCleaningSession(root, model, {
    ...({
      layout: 'classes',
      network: 'rows of numbers',
      pool,
      placement,
      signal: new AbortController().signal,
    } as const),
    ...{ log: () => undefined, onProgress: () => undefined, onStage: () => undefined },
  });

/** What is asked of the service, and the labels after it. */
const [done, undone]: [Int32Array[], Int32Array[]] = [[], []];
let now: Int32Array = labels;
function take(change: Change): CleaningAction {
  const before = now;
  switch (change.kind) {
    case 'undo':
    case 'redo': {
      const [from, to] = change.kind === 'undo' ? [done, undone] : [undone, done];
      now = from.pop() ?? now;
      to.push(before);
      return { kind: change.kind };
    }
    case 'merge':
      now = now.map((label) => (label === change.from ? change.to : label));
      break;
    case 'move':
    case 'putAside':
      now = now.with(change.row, change.kind === 'move' ? change.to : -1);
  }
  done.push(before);
  undone.length = 0;
  if (change.kind === 'merge') return { kind: 'edit', edit: { kind: 'merge', from: folderOf(change.from), to: folderOf(change.to) } }; // prettier-ignore
  const images = [imageOf(change.row, before[change.row] ?? -1)];
  const edit = change.kind === 'move' ? { kind: change.kind, images, to: folderOf(change.to) } : { kind: change.kind, images }; // prettier-ignore
  return { kind: 'edit', edit };
}

try {
  await writeFolder();
  const session = await openSession();
  const look = async (signal: AbortSignal) => {
    const figures = await session.look({ kept: keptImages((await readJournal(root)).done), chosen: new Set() }, signal);
    assert.ok(figures, 'all images have features');
    return figures;
  };
  const { signal } = new AbortController();
  await look(signal);
  const [seconds, processor]: [number[], number[]] = [[], []];
  for (const change of changes) {
    const action = take(change);
    const [start, used] = [performance.now(), processorSeconds()];
    await editThenLook({ data: root, action }, session.dataset, signal, look);
    seconds.push((performance.now() - start) / 1000);
    processor.push(processorSeconds() - used);
  }
  const last = await look(signal);
  const fresh = await openSession();
  assert.deepEqual(last, await fresh.look({ kept: keptImages((await readJournal(root)).done), chosen: new Set() }, signal), 'a new session says the same'); // prettier-ignore
  await fresh.dispose();
  await session.dispose();
  for (const kind of new Set(changes.map((change) => change.kind))) {
    const own = seconds.filter((_, at) => changes[at]?.kind === kind);
    console.error(
      `${kind}: ${own.length}, median ${median(own).toFixed(3)} s, at most ${Math.max(...own).toFixed(3)} s`,
    );
  }
  const ofHundred = (values: readonly number[], share: number) => values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1] ?? NaN; // prettier-ignore
  report({ p95: ofHundred(seconds, 0.95), median: median(seconds), processor: ofHundred(processor, 0.95), memory: peakMebibytes() }); // prettier-ignore
} finally {
  await pool.dispose();
  await rm(parent, { recursive: true });
}

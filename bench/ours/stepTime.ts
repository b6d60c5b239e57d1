import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onnxEngineAside } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createTrainingControl } from '../../src/ml/training/run/control.ts';
import { trainRun } from '../../src/ml/training/run/trainRun.ts';
import { trainingConfigSchema } from '../../src/protocol/trainingConfig.ts';
import type { TrainingEvent } from '../../src/protocol/trainingEvents.ts';
import { median } from '../result.ts';
import { linkedImages } from './smallImages.ts';
import { report } from './report.ts';

/*
 * The median time of a step of `fivecrop train --method head`, everything around the network included, while each image is
 * seen for the first time. Arguments: network, weights, classes, images of each, steps.
 */
const [name = '', weights = '', ...numbers] = process.argv.slice(2);
const [classes = 2, images = 2, wanted = 50] = numbers.map(Number);
const warmUp = 5;

const control = createTrainingControl();
const milliseconds: number[] = [];
let checked = false;
let began: number | undefined;

/** Steps count once the check of the data is over, which runs beside the first of them, once a run. */
function onEvent(event: TrainingEvent): void {
  const now = performance.now();
  // The images are links to a few files, which is what the check says when it is done.
  if (event.event === 'log' && event.message.includes('in more than one class')) checked = true;
  if (event.event !== 'step') return;
  if (checked && began !== undefined) milliseconds.push(now - began);
  began = now;
  if (milliseconds.length >= warmUp + wanted) control.stop();
}

const { folder, remove } = await linkedImages(classes, images);
const out = mkdtempSync(join(tmpdir(), 'fivecrop-bench-runs-'));
try {
  const config = trainingConfigSchema.parse({
    data: folder,
    network: { kind: 'architecture', name, weights },
    batchSize: 8,
    imageSize: 32,
    resize: 36,
    hidden: [],
    validShare: 0.02,
    testShare: 0,
    validateEvery: 1e6,
    pinnedImages: 0,
  });
  const chooseEngine = () => Promise.resolve({ engine: onnxEngineAside(), device: 'cpu', fallbacks: [] });
  await trainRun(config, { out, chooseEngine, onEvent, control });
  const counted = milliseconds.slice(warmUp, warmUp + wanted);
  if (counted.length < wanted) throw new Error(`only ${counted.length} steps came after the check of the data`);
  report({ step: median(counted) });
} finally {
  remove();
  rmSync(out, { recursive: true, force: true });
}

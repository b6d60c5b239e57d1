import process from 'node:process';
import type { RunEstimate } from '../../../protocol/dryRun.ts';
import { imagesInput } from '../../networks/network.ts';
import { hearRequests } from '../run/control.ts';
import { validationsLeft } from './position.ts';
import type { LoopOptions, LoopResult } from './trainingLoop.ts';
import { usedWeights } from './stepper.ts';

/** What the loop cannot see. */
export interface MeasuredRun {
  /** When the run began, as `performance.now()` tells it. */
  readonly began: number;
  readonly validImages: () => number;
  /** Hears how many of about so many steps were taken. */
  readonly onStep?: (done: number, total: number) => void;
}

/** Steps that are taken at most, and seconds after which no further one is: of each of the two turns. */
const [mostSteps, patience] = [24, 15];
/** Steps ahead of those that are timed: the first ones compile, and images are made ahead of them. */
const warmUp = 3;
/** Seconds that a validation is waited for. */
const validationPatience = 15;
/** Share of a training step's time that its forward pass takes: the backward pass is twice that. */
const forwardShare = 1 / 3;
/** Bytes of a decoded image by the square of its side: photographs are 4:3 or 3:2, of three colours. */
const bytesBySquare = 1.5 * 3;

/** Times of one turn, in seconds. */
interface Turn {
  /** Of a step, with what its batch costs. */
  readonly step: number;
  /** Of the step alone. */
  readonly alone: number;
  readonly steps: number;
  readonly images: number;
  /** Whether a frozen part computes ahead of the steps, and the bytes that it makes of an image. */
  readonly computesAhead: boolean;
  readonly featureBytes: number;
}

/**
 * Takes some steps of a run's last epoch, where all of the network trains and images are largest, then the same once more,
 * as later epochs find images that are decoded and features that are kept; validates; and says what a whole run comes to.
 */
export function measureSteps(
  { began, validImages, onStep }: MeasuredRun,
  found: (estimate: RunEstimate) => void,
): (options: LoopOptions) => Promise<LoopResult> {
  return async (options) => {
    const { config, stepper, stepsPerEpoch, start, device, views } = options;
    const setupSeconds = (performance.now() - began) / 1000;
    const total = 2 * Math.min(mostSteps, stepsPerEpoch);
    await stepper.enter(config.epochs - 1);
    const first = await turnOf(options, (done) => onStep?.(done, total));
    const later = await turnOf(options, (done) => onStep?.(total / 2 + done, total));
    const validation = await validationSeconds(options, first, validImages());
    const steps = stepsPerEpoch * config.epochs;
    const firstSteps = stepsPerEpoch * Math.min(config.epochs, views ?? 1);
    const validations = validationsLeft(start, steps, { ...config, stepsPerEpoch });
    const training = firstSteps * first.step + (steps - firstSteps) * later.step;
    const validating = validation.first + Math.max(0, validations - 1) * validation.later;
    // What a checkpoint is written from takes its memory, too.
    await stepper.lend('all', () => Promise.resolve());
    found({
      seconds: setupSeconds + training + validating,
      memoryBytes: process.resourceUsage().maxRSS * 1024 + laterBytes(options, first, validImages()),
      ...{ setupSeconds, steps, firstSteps, validations, device },
      firstStepSeconds: first.step,
      laterStepSeconds: later.step,
      firstValidationSeconds: validation.first,
      laterValidationSeconds: validation.later,
      measuredSteps: first.steps + later.steps,
    });
    return {
      state: 'finished',
      reason: `The time of ${first.steps + later.steps} steps was measured.`,
      position: { ...start },
    };
  };
}

async function turnOf(
  { config, stepper, batches, control }: LoopOptions,
  onStep: (done: number) => void,
): Promise<Turn> {
  const turnBegan = performance.now();
  const ends: number[] = [];
  const alone: number[] = [];
  let images = 0;
  let made = { computesAhead: false, featureBytes: 0 };
  for await (const { feeds, labels, ownShare } of batches(config.epochs - 1, 0)) {
    await hearRequests();
    control.signal.throwIfAborted();
    const before = performance.now();
    // A last batch that is smaller is another model.
    if (labels.length < config.batchSize && ends.length > warmUp) break;
    await stepper.take(feeds, labels, config.learningRate, { ownShare, signal: control.signal });
    ends.push(performance.now());
    alone.push(performance.now() - before);
    images += labels.length;
    const bytes = [...feeds.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    made = { computesAhead: !feeds.has(imagesInput), featureBytes: bytes / Math.max(1, labels.length) };
    onStep(ends.length);
    if (ends.length >= mostSteps) break;
    if (ends.length > warmUp && performance.now() - turnBegan > patience * 1000) break;
  }
  // Of fewer than a few steps none is left out.
  const skipped = ends.length > warmUp ? warmUp : 0;
  const from = skipped === 0 ? turnBegan : (ends[skipped - 1] ?? turnBegan);
  const counted = Math.max(1, ends.length - skipped);
  const seconds = ((ends.at(-1) ?? turnBegan) - from) / 1000 / counted;
  const aloneSeconds = alone.slice(skipped).reduce((sum, each) => sum + each, 0) / 1000 / counted;
  return { step: seconds, alone: aloneSeconds, steps: ends.length, images, ...made };
}

/** Seconds of the first validation and of those after it: measured where they end soon, else by the time of a step. */
async function validationSeconds(
  options: LoopOptions,
  { step, alone, computesAhead }: Turn,
  images: number,
): Promise<{ readonly first: number; readonly later: number }> {
  const ofImage = (seconds: number) => (seconds * images) / options.config.batchSize;
  const forward = ofImage(alone * forwardShare);
  const guessed = { first: computesAhead ? ofImage(Math.max(0, step - alone)) + forward : forward, later: forward };
  const first = await timedValidation(options);
  if (first === undefined) return guessed;
  return { first, later: (await timedValidation(options)) ?? guessed.later };
}

/** Seconds of a validation; undefined if it takes too long to be waited for. Throws as `validate` does. */
async function timedValidation({ stepper, validate, control }: LoopOptions): Promise<number | undefined> {
  const began = performance.now();
  const patient = AbortSignal.timeout(validationPatience * 1000);
  try {
    await stepper.lend('weights', (state) => validate(usedWeights(state), AbortSignal.any([control.signal, patient])));
    return (performance.now() - began) / 1000;
  } catch (error) {
    control.signal.throwIfAborted();
    if (patient.aborted) return undefined;
    throw error;
  }
}

/** Bytes of decoded images and of features that a whole run keeps in memory beyond those that are there now. */
function laterBytes({ config, facts, views, stepsPerEpoch }: LoopOptions, seen: Turn, validImages: number): number {
  const limit = config.cacheMegabytes * 1024 * 1024;
  const trainImages = stepsPerEpoch * config.batchSize;
  const { resize } = facts.preprocessing;
  const ofImages = (images: number) =>
    views === 1 ? 0 : Math.min(limit * (views === undefined ? 1 : 0.5), images * resize * resize * bytesBySquare);
  const ofFeatures = (images: number) =>
    views === undefined ? 0 : Math.min(limit * 0.5, images * views * seen.featureBytes);
  const all = ofImages(trainImages + validImages) + ofFeatures(trainImages);
  return Math.round(Math.max(0, all - ofImages(seen.images) - ofFeatures(seen.images / (views ?? 1))));
}

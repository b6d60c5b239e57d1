import { basename } from 'node:path';
import type { ClassifierSource } from '../../protocol/serviceProtocol.ts';
import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import { chooseEngine } from '../engine/chooseEngine.ts';
import { has8Bits, inPrecision } from '../engine/inPrecision.ts';
import { presetConstants } from '../../protocol/preprocessing.ts';
import { withoutCalibration } from '../inference/calibrated.ts';
import { calibrateInt8 } from '../inference/calibrateInt8.ts';
import type { Classifier } from '../inference/classifier.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import { loadClassifier, type ClassifierSource as LoadedSource } from '../inference/loadClassifier.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import { rareProgress } from './rareProgress.ts';
import { createWarmClassifiers } from './warmClassifiers.ts';

/** Which network, and what it shall compute on and in. */
export interface ClassifierWish {
  readonly source: ClassifierSource;
  readonly engine: TrainingConfig['engine'];
  readonly device: TrainingConfig['device'];
  /** Images by which it finds the ranges of 8 bits when it is loaded; without them it computes in float32. */
  readonly calibrateOn?: readonly string[];
}

export interface ClassifierPool {
  /** Runs `work` with the classifier wished for. Throws as `chooseEngine` and `loadClassifier` do. */
  use<Result>(
    wish: ClassifierWish,
    context: RequestContext,
    work: (classifier: Classifier) => Promise<Result>,
  ): Promise<Result>;
}

/** Loads classifiers, tells what is fallen back to, and keeps the last ones warm. */
export function createClassifierPool(): ClassifierPool {
  const warm = createWarmClassifiers();
  return {
    use: (wish, context, work) => {
      const { source, calibrateOn } = wish;
      const { file } = parsedSource(source);
      const name = JSON.stringify({ ...wish, calibrateOn: calibrateOn !== undefined });
      const load = () => loadFor(wish, context);
      return warm.use({ name, load, ...(file === undefined ? {} : { file }) }, async (classifier) => {
        const { engine, device } = classifier.runsOn;
        log(context)(`${classifier.title} runs on ${device} (${engine}).`);
        return work(classifier);
      });
    },
  };
}

function log({ answer }: RequestContext, level: 'info' | 'warning' = 'info'): (message: string) => void {
  return (message) => answer({ type: 'log', level, message });
}

async function loadFor(
  { source, engine, device, calibrateOn }: ClassifierWish,
  context: RequestContext,
): Promise<Classifier> {
  const chosen = await placementFor({ engine, device }, context);
  const precision = calibrateOn ? 'int8' : 'float32';
  const placement = { ...chosen, engine: inPrecision(chosen.engine, precision, log(context)) };
  const { title, loaded } = parsedSource(source);
  context.answer({ type: 'progress', what: `Loading ${title}`, done: 0 });
  const progress = new Map<string, (done: number, total?: number) => void>();
  const classifier = await loadClassifier(loaded, placement, {
    signal: context.signal,
    log: log(context),
    onProgress: ({ file, received, total }) => {
      const report = progress.get(file) ?? rareProgress(`Downloading ${basename(file)}`, context.answer);
      progress.set(file, report);
      report(received, total);
    },
  });
  if (!calibrateOn || !has8Bits(chosen.engine, chosen.device)) return classifier;
  await quantized(classifier, calibrateOn, context);
  if (classifier.calibration === undefined || classifier.in8Bits?.() !== true) return classifier;
  log(context)('The temperature of the checkpoint does not fit 8 bits (int8), so it is not used.');
  return withoutCalibration(classifier);
}

async function quantized(
  classifier: Classifier,
  images: readonly string[],
  { signal, answer }: RequestContext,
): Promise<void> {
  answer({ type: 'progress', what: 'Measuring the ranges for 8 bits', done: 0 });
  try {
    await calibrateInt8(classifier, images, signal);
  } catch (error) {
    await classifier.dispose();
    throw error;
  }
}

async function placementFor(
  wish: Pick<ClassifierWish, 'engine' | 'device'>,
  context: RequestContext,
): Promise<Placement> {
  const chosen = await chooseEngine({ ...wish, log: log(context) });
  for (const fallback of chosen.fallbacks) log(context, 'warning')(fallback);
  return chosen;
}

/** What a source is loaded from. */
export function loadedSource(source: ClassifierSource): LoadedSource {
  return parsedSource(source).loaded;
}

/** What a source is called: its network, or the name of its file. */
export function titleOfSource(source: ClassifierSource): string {
  return parsedSource(source).title;
}

interface ParsedSource {
  readonly loaded: LoadedSource;
  readonly title: string;
  /** The file that it is made of, where it is named. */
  readonly file: string | undefined;
}

function parsedSource(source: ClassifierSource): ParsedSource {
  switch (source.kind) {
    case 'checkpoint':
      return ofFile(source.path, { kind: 'checkpoint', file: source.path });
    case 'backbone': {
      const preprocessing = presetConstants(source.preprocess);
      return ofFile(source.path, { kind: 'backbone', file: source.path, preprocessing });
    }
    case 'architecture': {
      const { name, weights } = source;
      const loaded = { kind: 'architecture' as const, name, ...(weights === undefined ? {} : { weights }) };
      return { loaded, title: name, file: weights };
    }
  }
}

function ofFile(file: string, loaded: LoadedSource): ParsedSource {
  return { loaded, title: basename(file), file };
}

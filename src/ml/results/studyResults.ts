import { bestValidation, trainedSeconds } from '../../charts/runCurves.ts';
import { compareEvaluations, type Comparison } from '../../protocol/compareEvaluations.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { wilson } from '../../protocol/evaluationMetrics.ts';
import type { MissingPart, StudyKind } from '../../protocol/study.ts';
import type { RunResults } from './readResults.ts';

/** A run of a study that has been trained, and its tests, where there are images to test on. */
export interface StudyResult {
  readonly label: string;
  readonly run: RunResults;
  /** Of the test images by the center crop. */
  readonly test?: Evaluation;
  /** The same by five crops, in a study of networks. */
  readonly fiveCrops?: Evaluation;
}

/** All that a study has found. */
export interface StudyResults {
  readonly kind: StudyKind;
  readonly results: readonly StudyResult[];
  readonly missing: readonly MissingPart[];
}

/** What a study says of a run in numbers. */
export interface StudyNumbers {
  readonly best: { readonly step: number; readonly accuracy: number; readonly loss: number } | undefined;
  readonly test:
    { readonly accuracy: number; readonly low: number; readonly high: number; readonly images: number } | undefined;
  /** Seconds of training and validation for a pass over the training images; undefined before the first step. */
  readonly secondsPerEpoch: number | undefined;
  readonly memoryBytes: number;
}

export function numbersOf({ run, test }: StudyResult): StudyNumbers {
  const { curves, memoryBytes } = run;
  const best = bestValidation(curves);
  const at = (name: 'step' | 'validAccuracy' | 'validLoss') => curves.validations.values(name)[best ?? -1] ?? NaN;
  const epochs = curves.lastStep?.epoch ?? 0;
  return {
    best: best === undefined ? undefined : { step: at('step'), accuracy: at('validAccuracy'), loss: at('validLoss') },
    test: test && {
      accuracy: test.accuracy,
      images: test.images,
      ...wilson(Math.round(test.accuracy * test.images), test.images),
    },
    secondsPerEpoch: epochs > 0 ? trainedSeconds(curves) / epochs : undefined,
    memoryBytes,
  };
}

/** The tested runs compared on the same images; undefined for fewer than two. */
export function compareResults(
  results: readonly StudyResult[],
): { labels: string[]; comparison: Comparison } | undefined {
  const tested = results.flatMap(({ label, test }) => (test ? [{ label, test }] : []));
  if (tested.length < 2) return undefined;
  return {
    labels: tested.map(({ label }) => label),
    comparison: compareEvaluations(tested.map(({ label, test }) => ({ name: label, evaluation: test }))),
  };
}

import { resolve } from 'node:path';
import type { SplitName } from '../../protocol/dataReport.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { evaluationMetrics } from '../../protocol/evaluationMetrics.ts';
import { checkpointPath } from '../../runs/checkpointPath.ts';
import { loadClassifier } from '../inference/loadClassifier.ts';
import { testClassifier as testLoaded } from '../inference/testClassifier.ts';
import { choosePlacement, type Computing } from './choosePlacement.ts';

export interface TestOptions extends Computing {
  /** Which images; `test` without it. */
  readonly split?: SplitName;
  /** 1 (the default) tests by the center of each image, 5 by the mean of five crops. */
  readonly crops?: 1 | 5;
  readonly onProgress?: (done: number, total: number) => void;
  /** Breaks off with a `CancelledError`. */
  readonly signal?: AbortSignal;
}

/** What a test found. */
export interface TestedCheckpoint {
  /** Every image with its class, the predicted one and its probability; accuracy, loss and the confusion matrix. */
  readonly evaluation: Evaluation;
  /** Precision, recall and F1, of each class and over all. */
  readonly metrics: ReturnType<typeof evaluationMetrics>;
  /** The file beside the checkpoint that keeps the evaluation; undefined if the disk refused. */
  readonly file: string | undefined;
}

/**
 * Tests a checkpoint, or the best one of a run, on images that it was not trained on, as `fivecrop test` does. Throws a
 * `UserError` where nothing is left to test on.
 */
export async function testClassifier(
  checkpoint: string,
  data: string,
  options: TestOptions = {},
): Promise<TestedCheckpoint> {
  const { split = 'test', crops = 1, log, onProgress, signal } = options;
  const file = checkpointPath(resolve(checkpoint));
  const onNote = (note: string) => log?.(note);
  const placement = await choosePlacement(options);
  const classifier = await loadClassifier({ kind: 'checkpoint', file }, placement, { log: onNote });
  try {
    const stop = signal ? { signal } : {};
    const { evaluation, kept, problem } = await testLoaded(
      classifier,
      { checkpoint: file, data, split, cropCount: crops, ...stop },
      {
        onNote,
        onLeftOut: (image, reason) => onNote(`${image} is left out: ${reason}`),
        ...(onProgress ? { onProgress } : {}),
        ...stop,
      },
    );
    if (problem !== undefined) onNote(problem);
    return { evaluation, metrics: evaluationMetrics(evaluation), file: kept };
  } finally {
    await classifier.dispose();
  }
}

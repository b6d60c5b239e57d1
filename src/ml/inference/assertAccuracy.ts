import { resolve } from 'node:path';
import type { AccuracyTest, CheckedExpectation } from '../../protocol/accuracyTests.ts';
import { checkExpectations } from '../../protocol/checkExpectations.ts';
import { userError } from '../../protocol/errors.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { checkpointPath } from '../../runs/checkpointPath.ts';
import type { WantedTest } from '../../runs/evaluations.ts';
import { listRuns } from '../../runs/list.ts';
import { slicerOf } from './slicer.ts';

export interface Asserting {
  /** The folder that the test's paths are relative to: that of its file. */
  readonly folder: string;
  /** Tests a checkpoint. */
  readonly evaluate: (checkpoint: string, on: WantedTest) => Promise<Evaluation>;
  readonly say: (line: string) => void;
}

/** What became of a test of accuracy. */
export interface AssertedAccuracy {
  /** Of the checkpoint that was tested. */
  readonly evaluation: Evaluation;
  readonly expectations: readonly CheckedExpectation[];
}

/**
 * Tests a checkpoint, and its baseline if there is one, and says which expectations are met. Throws a user error if it cannot
 * be tested: there is no such checkpoint, run or table, or it has no image that an expectation is of.
 */
export async function assertAccuracy(
  test: AccuracyTest,
  { folder, evaluate, say }: Asserting,
): Promise<AssertedAccuracy> {
  const absolute = (path: string) => resolve(folder, path);
  const { split, crops: cropCount } = test;
  const on = { data: absolute(test.data), split, cropCount };
  const baseline = test.baseline && { ...test.baseline, checkpoint: absolute(test.baseline.checkpoint) };
  const slicers = await Promise.all((test.slices ?? []).map(({ by }) => slicerOf(by, say, folder)));
  const checkpoint =
    test.checkpoint === undefined ? await newestRun(absolute(test.runs ?? 'runs')) : absolute(test.checkpoint);
  const evaluation = await evaluate(checkpointPath(checkpoint), on);
  const expectations = checkExpectations({
    test: { ...test, baseline },
    evaluation,
    slices: slicers.map((slice) => slice(evaluation)),
    baseline: baseline && (await evaluate(checkpointPath(baseline.checkpoint), on)),
  });
  return { evaluation, expectations };
}

async function newestRun(folder: string): Promise<string> {
  const { runs } = await listRuns(folder);
  const newest = runs.find(({ state }) => state === 'finished');
  if (newest) return newest.folder;
  throw userError(`There is no finished run in ${folder}: name a checkpoint, or another folder of runs.`);
}

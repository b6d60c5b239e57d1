import { basename, resolve } from 'node:path';
import type { SplitName } from '../../protocol/dataReport.ts';
import { userError } from '../../protocol/errors.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import type { RunRecord } from '../../protocol/runRecord.ts';
import { keptEvaluation } from '../../runs/evaluations.ts';
import { runOfCheckpoint } from '../../runs/list.ts';
import { readRunRecord } from '../../runs/record.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import { loadClassifier } from '../inference/loadClassifier.ts';
import { checkpointPath } from '../../runs/checkpointPath.ts';
import type { Output } from './output.ts';
import { testVisibly } from './testVisibly.ts';

/** A run, and what its best checkpoint does on images that it was not trained on. */
export interface TestedRun {
  /** That of its folder. */
  readonly name: string;
  readonly record: RunRecord;
  readonly evaluation: Evaluation;
}

/** What a run is tested on; on its own data without `data`. */
export interface TestWish {
  readonly data: string | undefined;
  readonly split: SplitName;
  readonly cropCount: 1 | 5;
}

/**
 * The run that a path to its folder or a checkpoint in it means, with the result of its test: one that is kept and newer
 * than its checkpoint, or a new one. Throws a user error where there is no checkpoint or no run.
 */
export async function testedRun(
  path: string,
  wish: TestWish,
  placement: Placement,
  output: Output,
): Promise<TestedRun> {
  const checkpoint = checkpointPath(resolve(path));
  const folder = await runOfCheckpoint(checkpoint);
  if (folder === undefined) {
    throw userError(`${path} is not in the folder of a run, so its settings are unknown: name the folder of a run.`);
  }
  const record = await readRunRecord(folder);
  const name = basename(folder);
  const data = wish.data ?? record.data?.data ?? record.config.data;
  const kept = await keptEvaluation(checkpoint, { ...wish, data }, output.say);
  if (kept) return { name, record, evaluation: kept };
  output.say(`Testing ${name} on ${data}`);
  const classifier = await loadClassifier({ kind: 'checkpoint', file: checkpoint }, placement, { log: output.say });
  try {
    const test = { checkpoint, data, split: wish.split, cropCount: wish.cropCount };
    const { evaluation, problem } = await testVisibly(classifier, test, output);
    if (problem !== undefined) output.say(problem);
    return { name, record, evaluation };
  } finally {
    await classifier.dispose();
  }
}

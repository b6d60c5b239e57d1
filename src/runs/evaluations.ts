import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SplitName } from '../protocol/dataReport.ts';
import { messageOf } from '../protocol/errors.ts';
import { evaluationSchema, isEvaluationOf, type Evaluation } from '../protocol/evaluation.ts';
import { seesWholeImage } from '../protocol/preprocessing.ts';
import { evaluationLimit, readBoundedJson } from './boundedFile.ts';
import { sameFolder } from './sameFolder.ts';
import { parseVersioned } from './versionedJson.ts';

/**
 * The evaluations that are kept beside a checkpoint (see `evaluationPath`), newest first. What does not fit the format is
 * left out, and `onMisfit` hears of it; none where there is no such folder.
 */
export async function readEvaluations(checkpoint: string, onMisfit: (reason: string) => void): Promise<Evaluation[]> {
  const folder = dirname(checkpoint);
  const names = await readdir(folder).catch((): string[] => []);
  const own = names.filter((name) => isEvaluationOf(basename(checkpoint), name));
  const read = await Promise.all(own.map((name) => readEvaluation(join(folder, name), onMisfit)));
  const found = read.filter((evaluation) => evaluation !== undefined);
  // The folder may have been moved since.
  return found.map((evaluation) => ({ ...evaluation, checkpoint })).sort((a, b) => b.time.localeCompare(a.time));
}

/** Which test of a checkpoint is wanted. */
export interface WantedTest {
  readonly data: string;
  readonly split: SplitName;
  /** Of a network that sees whole images every test is wanted, since there is one crop of each. */
  readonly cropCount: 1 | 5;
}

/** The newest test of a checkpoint as it is now that is kept beside it; undefined if it has to be tested first. */
export async function keptEvaluation(
  checkpoint: string,
  { data, split, cropCount }: WantedTest,
  onMisfit: (reason: string) => void,
): Promise<Evaluation | undefined> {
  const written = await timeWritten(checkpoint);
  const found = await readEvaluations(checkpoint, onMisfit);
  return found.find((evaluation) => {
    const hasCrops = seesWholeImage(evaluation.fit) || evaluation.cropCount === cropCount;
    const isCurrent = written !== undefined && evaluation.time >= written;
    return evaluation.split === split && hasCrops && evaluation.selection && isCurrent && sameFolder(evaluation.data, data); // prettier-ignore
  });
}

/** When a checkpoint was written, as ISO 8601; undefined where it is gone. */
export async function timeWritten(checkpoint: string): Promise<string | undefined> {
  return (await stat(checkpoint).catch(() => undefined))?.mtime.toISOString();
}

async function readEvaluation(file: string, onMisfit: (reason: string) => void): Promise<Evaluation | undefined> {
  try {
    return parseVersioned(file, await readBoundedJson(file, evaluationLimit), {
      version: 1,
      schema: evaluationSchema,
      use: 'see this test result',
      misfit: 'is not a test result of Fivecrop',
      remedy: 'test again',
    });
  } catch (error) {
    onMisfit(`A test result is not shown: ${messageOf(error)}`);
    return undefined;
  }
}

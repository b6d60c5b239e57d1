import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../protocol/errors.ts';
import { evaluationSchema, isEvaluationOf, type Evaluation } from '../protocol/evaluation.ts';
import { evaluationLimit, readBoundedJson } from './boundedFile.ts';
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

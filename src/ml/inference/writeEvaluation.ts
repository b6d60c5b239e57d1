import { rename, writeFile } from 'node:fs/promises';
import { messageOf, userError } from '../../protocol/errors.ts';
import { evaluationPath, type Evaluation } from '../../protocol/evaluation.ts';

/** Keeps an evaluation beside its checkpoint. Throws a user error where the disk refuses. */
export async function writeEvaluation(evaluation: Evaluation): Promise<void> {
  const path = evaluationPath(evaluation);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(evaluation)}\n`);
    await rename(temporary, path);
  } catch (error) {
    throw userError(`The result cannot be kept in ${path} (${messageOf(error)}); make the folder writable.`, error);
  }
}

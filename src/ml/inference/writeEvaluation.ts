import { evaluationPath, type Evaluation } from '../../protocol/evaluation.ts';
import { writeTextAtomically } from '../../runs/atomicFile.ts';

/** Keeps an evaluation beside its checkpoint. Throws a user error where the disk refuses. */
export function writeEvaluation(evaluation: Evaluation): Promise<void> {
  return writeTextAtomically(evaluationPath(evaluation), `${JSON.stringify(evaluation)}\n`);
}

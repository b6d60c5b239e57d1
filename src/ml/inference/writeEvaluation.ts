import { messageOf } from '../../protocol/errors.ts';
import { evaluationPath, type Evaluation } from '../../protocol/evaluation.ts';
import { writeTextAtomically } from '../../runs/atomicFile.ts';

/** Keeps an evaluation beside its checkpoint. Returns why not where the disk refuses: the figures are none the worse. */
export async function writeEvaluation(evaluation: Evaluation): Promise<string | undefined> {
  try {
    await writeTextAtomically(evaluationPath(evaluation), `${JSON.stringify(evaluation)}\n`);
    return undefined;
  } catch (error) {
    return `The result is not kept: ${messageOf(error)}`;
  }
}

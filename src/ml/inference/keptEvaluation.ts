import type { SplitName } from '../../protocol/dataReport.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { readEvaluations, timeWritten } from '../../runs/evaluations.ts';
import { cropCountFor } from '../data/fiveCrops.ts';
import { sameFolder } from '../data/sameFolder.ts';

/** What a checkpoint is to be tested on. */
export interface WantedTest {
  readonly data: string;
  readonly split: SplitName;
  readonly cropCount: 1 | 5;
}

/** A test of the checkpoint as it is now that is kept beside it; `onMisfit` hears of those that cannot be read. */
export async function keptEvaluation(
  checkpoint: string,
  { data, split, cropCount }: WantedTest,
  onMisfit: (reason: string) => void,
): Promise<Evaluation | undefined> {
  const written = await timeWritten(checkpoint);
  const found = await readEvaluations(checkpoint, onMisfit);
  for (const evaluation of found) {
    const hasCrops = evaluation.cropCount === cropCountFor(evaluation.fit, cropCount);
    const isWanted = evaluation.split === split && hasCrops && evaluation.selection;
    if (!isWanted || written === undefined || evaluation.time < written) continue;
    if (sameFolder(evaluation.data, data)) return evaluation;
  }
  return undefined;
}

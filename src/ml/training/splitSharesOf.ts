import type { SplitShares } from '../data/stratifiedSplit.ts';
import { runOfCheckpoint } from '../../runs/list.ts';
import { readRunRecord } from '../../runs/record.ts';

/**
 * How a folder without splits is split for a checkpoint: as in the run that made it, so that no training image is tested;
 * as by default where it lies in no run's folder.
 */
export async function splitSharesOf(checkpoint: string): Promise<SplitShares> {
  const run = await runOfCheckpoint(checkpoint);
  if (run === undefined) return { seed: 0, validShare: 0.15, testShare: 0.15 };
  const { seed, validShare, testShare } = (await readRunRecord(run)).config;
  return { seed, validShare, testShare };
}

import { dirname } from 'node:path';
import { userError } from '../../protocol/errors.ts';
import type { Parts } from '../parts.ts';
import { isLive } from '../../runs/state.ts';
import { savedCheckpoint } from '../../runs/checkpointFiles.ts';
import { withoutPretrained } from './neededWeights.ts';
import { obtainWeights } from './pretrainedWeights.ts';

/**
 * Goes on with a run as `Trainers.resume` does, and returns its folder. One without a checkpoint begins again, and needs
 * its pretrained weights for that: if they cannot be had and the user trains without them, that is another run.
 */
export async function resumeRun(
  { runs, trainers, service }: Pick<Parts, 'runs' | 'trainers' | 'service'>,
  folder: string,
): Promise<string> {
  const run = runs.get(folder);
  if (run === undefined || isLive(run.state) || savedCheckpoint(folder) !== undefined) return trainers.resume(folder);
  const { config } = run.record;
  const found = await obtainWeights({ service }, config);
  return found === config ? trainers.resume(folder) : trainers.start({ config: found, out: dirname(folder) });
}

/** Starts a new run with the settings of another one, but from random weights, and returns its folder. */
export async function trainWithout(
  { runs, trainers }: Pick<Parts, 'runs' | 'trainers'>,
  folder: string,
): Promise<string> {
  const run = runs.get(folder);
  if (run === undefined) throw userError(`There is no run in ${folder} any more; refresh the list of checkpoints.`);
  return trainers.start({ config: withoutPretrained(run.record.config), out: dirname(folder) });
}

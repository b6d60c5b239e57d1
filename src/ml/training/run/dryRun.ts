import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cancelled } from '../../../protocol/errors.ts';
import type { GivenConfig } from '../../../protocol/trainingConfig.ts';
import { trainRun, type TrainRunOptions } from './trainRun.ts';

export type DryRunOptions = Pick<TrainRunOptions, 'chooseEngine' | 'signal' | 'onEvent' | 'onProgress' | 'weights'>;

/**
 * Begins a run of a configuration, has `loop` take some steps in the place of all, and leaves nothing behind. Throws as
 * `trainRun` does, and a cancellation once `signal` is aborted.
 */
export async function dryRun(
  config: GivenConfig,
  loop: NonNullable<TrainRunOptions['loop']>,
  options: DryRunOptions,
): Promise<void> {
  const out = await mkdtemp(join(tmpdir(), 'fivecrop-dry-run-'));
  try {
    const { done } = await trainRun(config, { ...options, out, loop });
    if (done.state === 'stopped') throw cancelled();
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

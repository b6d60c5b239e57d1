import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type * as vscode from 'vscode';
import * as z from 'zod';
import { sweepFiles } from '../../protocol/sweep.ts';
import { hasJob } from '../../runs/job.ts';
import { isLocked } from '../../runs/lock.ts';
import { isSweepLive } from '../../runs/storedSweep.ts';
import { isSweep, requestStop } from '../../runs/sweep.ts';
import type { Log } from '../log.ts';
import { requireTrust } from '../requireTrust.ts';
import { readSettings } from '../settings.ts';
import { workerEnvironment } from '../workerEnvironment.ts';
import type { RunStore } from './runStore.ts';
import { startSweep } from './startSweep.ts';

/** A sweep to start. */
export interface SweepRequest {
  /** Its space: the path of a file, or the content of one with absolute paths. */
  readonly space: string | Readonly<Record<string, unknown>>;
  /** Folder in which its own and those of its runs are made. */
  readonly out: string;
  readonly name: string;
  readonly parallel: number;
  /** Options of sbatch, where the trials are jobs of Slurm's. */
  readonly sbatch?: readonly string[] | undefined;
}

/** The processes of sweeps: those of this window, those of earlier windows, and those of a shell. */
export interface Sweeps {
  /** Starts a sweep and returns its folder; throws a user error where it cannot begin. */
  readonly start: (request: SweepRequest) => Promise<string>;
  /** Has its trials finish their steps and save, and ends it. */
  readonly stop: (folder: string) => Promise<void>;
  /** Goes on with a sweep that was stopped or broken off. */
  readonly resume: (folder: string) => Promise<void>;
  readonly dispose: () => void;
}

/** How sweeps were started, by their folders: their records do not say. */
const startedKey = 'startedSweeps';
const startedSchema = z.record(
  z.string(),
  z.object({ parallel: z.number().int().min(1).max(64), sbatch: z.array(z.string()).optional() }),
);

function sbatchFlags(options: readonly string[]): string[] {
  return options.flatMap((option) => ['--sbatch-option', option]);
}

/** Whether a sweep that was started has begun. The scheduler may refuse one of jobs until the first of them is there. */
function hasBegun(folder: string, isOfJobs: boolean): boolean {
  if (!isSweep(folder) || !isOfJobs) return isSweep(folder);
  const runs = readdirSync(dirname(folder)).filter((name) => name.startsWith(`${basename(folder)}-`));
  return runs.some((run) => hasJob(join(dirname(folder), run)));
}

export function createSweeps(context: vscode.ExtensionContext, { log, runs }: { log: Log; runs: RunStore }): Sweeps {
  const own = new Set<string>();
  const program = () => ({
    script: context.asAbsolutePath('dist/ml/fivecrop.mjs'),
    environment: workerEnvironment(context),
  });
  const started = () => startedSchema.safeParse(context.workspaceState.get(startedKey)).data ?? {};
  const isAtWork = (folder: string) => isLocked(join(folder, sweepFiles.lock));
  const begun = async (folder: string): Promise<void> => {
    log.info(`A sweep began in ${folder}.`);
    own.add(folder);
    await runs.load();
    await runs.refresh(folder);
  };
  return {
    start: async ({ space, out, name, parallel, sbatch }) => {
      requireTrust('training');
      const folder = join(out, name);
      const temporary = mkdtempSync(join(tmpdir(), 'fivecrop-space-'));
      const written = join(temporary, `${name}.fivecrop.json`);
      if (typeof space !== 'string') writeFileSync(written, JSON.stringify(space));
      const file = typeof space === 'string' ? space : written;
      try {
        const jobs = sbatch === undefined ? [] : ['--to', 'slurm', ...sbatchFlags(sbatch)];
        const args = [file, '--out', out, '--name', name, '--parallel', String(parallel), ...jobs];
        await startSweep(args, program(), () => hasBegun(folder, sbatch !== undefined));
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
      await context.workspaceState.update(startedKey, { ...started(), [folder]: { parallel, sbatch } });
      await begun(folder);
      return folder;
    },
    stop: async (folder) => {
      requireTrust('controlling');
      // Jobs of which no process takes care are asked by the command.
      if (isAtWork(folder)) await requestStop(folder);
      else await startSweep(['stop', folder], program(), () => false);
      await runs.refresh(folder);
    },
    resume: async (folder) => {
      requireTrust('training');
      const { parallel, sbatch = [] } = started()[folder] ?? {};
      const args = [
        'resume',
        folder,
        ...sbatchFlags(sbatch),
        ...(parallel === undefined ? [] : ['--parallel', String(parallel)]),
      ];
      await startSweep(args, program(), () => isAtWork(folder));
      await begun(folder);
    },
    dispose: () => {
      if (readSettings().keepTraining) return;
      // As the window closes: nobody is left to hear of what fails.
      for (const folder of own) {
        const sweep = runs.sweeps.get(folder);
        if (sweep && isSweepLive(sweep.state)) void requestStop(folder).catch(() => undefined);
      }
    },
  };
}

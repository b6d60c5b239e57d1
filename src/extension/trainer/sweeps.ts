import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as vscode from 'vscode';
import * as z from 'zod';
import { sweepFiles } from '../../protocol/sweep.ts';
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

/** How many trials train at the same time, by the folders of sweeps: their records do not say. */
const parallelKey = 'parallelTrials';
const parallelSchema = z.record(z.string(), z.number().int().min(1).max(64));

export function createSweeps(context: vscode.ExtensionContext, { log, runs }: { log: Log; runs: RunStore }): Sweeps {
  const own = new Set<string>();
  const program = () => ({
    script: context.asAbsolutePath('dist/ml/fivecrop.mjs'),
    environment: workerEnvironment(context),
  });
  const parallels = () => parallelSchema.safeParse(context.workspaceState.get(parallelKey)).data ?? {};
  const begun = async (folder: string): Promise<void> => {
    log.info(`A sweep began in ${folder}.`);
    own.add(folder);
    await runs.load();
    await runs.refresh(folder);
  };
  return {
    start: async ({ space, out, name, parallel }) => {
      requireTrust('training');
      const folder = join(out, name);
      const temporary = mkdtempSync(join(tmpdir(), 'fivecrop-space-'));
      const written = join(temporary, `${name}.fivecrop.json`);
      if (typeof space !== 'string') writeFileSync(written, JSON.stringify(space));
      const file = typeof space === 'string' ? space : written;
      try {
        const args = [file, '--out', out, '--name', name, '--parallel', String(parallel)];
        await startSweep(args, program(), () => isSweep(folder));
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
      await context.workspaceState.update(parallelKey, { ...parallels(), [folder]: parallel });
      await begun(folder);
      return folder;
    },
    stop: async (folder) => {
      requireTrust('controlling');
      await requestStop(folder);
      await runs.refresh(folder);
    },
    resume: async (folder) => {
      requireTrust('training');
      const args = ['resume', folder, '--parallel', String(parallels()[folder] ?? 1)];
      await startSweep(args, program(), () => isLocked(join(folder, sweepFiles.lock)));
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

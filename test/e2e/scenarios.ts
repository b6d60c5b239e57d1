import assert from 'node:assert/strict';
import { lstatSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { hasRegistryHost } from '../../scripts/host/codeHost.ts';
import { removeFolder } from '../../scripts/host/codeServer.ts';
import { endTrainers } from './runs.ts';
import { openWorkbench, runCommand, type Workbench, type WorkbenchOptions } from './workbench.ts';

const failures = join(import.meta.dirname, '..', '..', 'test-results', 'failures');
/** Ends what hangs in spite of every limit of its own. */
const longest = 12 * 60_000;

/** Where a scenario happens: a workbench, and the folder that it was opened on. */
export type Stage = { workbench: Workbench; folder: string };

export type StageOptions = Omit<WorkbenchOptions, 'folder'> & {
  /** Puts into the fresh folder what the scenarios need. */
  prepare: (folder: string) => Promise<void>;
};

/**
 * One workbench for the scenarios of a file, which run in their order, each beginning with no editor open. Returns what
 * declares one, as `test` does. Where a scenario fails, the window, the logs and the records of its runs are kept under
 * test-results/failures.
 */
export function stage(options: StageOptions): (title: string, play: (stage: Stage) => Promise<void>) => void {
  const skip = hasRegistryHost() ? false : 'a workbench to drive comes from the npm registry, for linux-x64 only';
  let folder = '';
  let workbench: Workbench | undefined;
  let played = 0;
  before(async () => {
    if (skip !== false) return;
    folder = await mkdtemp(join(tmpdir(), 'fivecrop-e2e-'));
    await options.prepare(folder);
    workbench = await openWorkbench({ ...options, folder });
  });
  const end = async () => {
    await workbench?.close();
    if (folder === '') return;
    await endTrainers(folder);
    await removeFolder(folder);
  };
  after(end);
  // Server and trainers outlive whoever started them, so a Ctrl-C has to end them too.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void end().finally(() => process.exit(130)));
  return (title, play) => {
    void test(title, { skip, timeout: longest }, async () => {
      if (workbench === undefined) throw new Error('no workbench was opened');
      const here = { workbench, folder };
      try {
        if (played++ > 0) await runCommand(workbench, 'View: Close All Editors');
        await play(here);
        assert.deepEqual(workbench.console.filter(isPolicyViolation), [], 'what a page did against its policy');
      } catch (error) {
        await keepEvidence(here, title).catch(() => undefined);
        throw error;
      }
    });
  };
}

/** What a browser says of a script, style or picture that a page's Content-Security-Policy forbids. */
function isPolicyViolation(line: string): boolean {
  return line.includes('Content Security Policy directive');
}

function isOrdinary(path: string): boolean {
  const status = lstatSync(path);
  return status.isDirectory() || (status.isFile() && status.size < 100e6);
}

async function keepEvidence({ workbench, folder }: Stage, title: string): Promise<void> {
  const kept = join(failures, title.replace(/\W+/g, '-').slice(0, 60));
  await rm(kept, { recursive: true, force: true });
  await mkdir(kept, { recursive: true });
  await writeFile(join(kept, 'console.txt'), workbench.console.join('\n'));
  await cp(join(workbench.server.dataFolder, 'data', 'logs'), join(kept, 'logs'), { recursive: true });
  // Runs may hold pipes and links to devices, which a copy would never end of.
  const filter = (path: string) => !path.endsWith('.safetensors') && isOrdinary(path);
  await cp(join(folder, 'runs'), join(kept, 'runs'), { recursive: true, filter }).catch(() => undefined);
  await workbench.page.screenshot({ path: join(kept, 'window.png'), timeout: 60_000 });
  console.log(`The window, the logs and the runs of what failed: ${kept}`);
}

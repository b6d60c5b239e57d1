import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { RunRecord } from '../../../src/protocol/runRecord.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';

/** A temporary folder that goes away with the test. */
export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-extension-'));
  context.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Writes the folder of a run and returns it. */
export async function writeRun(parent: string, name: string, changes: Partial<RunRecord> = {}): Promise<string> {
  const folder = join(parent, name);
  const time = '2026-01-02T03:04:05.000Z';
  const record: RunRecord = {
    version: 1,
    name,
    created: time,
    updated: time,
    state: 'finished',
    config: trainingConfigSchema.parse({ data: '/data', network: { kind: 'architecture', name: 'resnet18' } }),
    environment: { fivecrop: '0.1.0', node: 'v20', platform: 'linux-x64', fallbacks: [] },
    ...changes,
  };
  await mkdir(join(folder, 'checkpoints'), { recursive: true });
  await writeFile(join(folder, 'run.json'), JSON.stringify(record));
  return folder;
}

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fivecrop, resultOf, smallRun, type unbroken } from './trainer.ts';

type Unbroken = Awaited<ReturnType<typeof unbroken>>;

/**
 * Kills a run at one operation, resumes it in its folder from somewhere else, and asserts that it ends as if nothing had
 * been. A run that had no folder yet begins once more, under the same name.
 */
export async function assertSurvives(
  data: string,
  folder: string,
  fault: { readonly at: number; readonly kind: 'kill' | 'torn' },
  expected: Unbroken,
): Promise<void> {
  const out = join(folder, `${fault.kind}-${fault.at}`);
  const what = `${fault.kind} at ${fault.at} (${expected.operations[fault.at - 1] ?? 'none'})`;
  const killed = await fivecrop(smallRun(data, out), { fault: { folder: out, ...fault } });
  assert.equal(killed.signal, 'SIGKILL', `${what}: ${killed.stderr}`);
  await mkdir(join(folder, 'elsewhere'), { recursive: true });
  const run = join(out, 'run');
  const again = existsSync(run) ? ['train', '--resume', run, '--json'] : smallRun(data, out);
  const resumed = await fivecrop(again, { cwd: join(folder, 'elsewhere') });
  assert.equal(resumed.code, 0, `${what}: ${resumed.stderr}`);
  assert.deepEqual(await readdir(out), ['run'], what);
  assert.deepEqual(await readdir(join(folder, 'elsewhere')), [], what);
  assert.deepEqual(await resultOf(run), expected.result, what);
  await rm(out, { recursive: true });
}

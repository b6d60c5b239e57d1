import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { after } from 'node:test';
import { writeRun } from '../unit/extension/storedRun.ts';
import { hostMemory } from './hostUsage.ts';
import { stage, type Stage } from './scenarios.ts';
import { openViewContainer, runCommand, runCommandOn, screenshot, treeRow, webview } from './workbench.ts';

/** Folders that are runs by name alone. */
const junkFolders = 2000;
const longRunSteps = 100_000;
/** MB that the extension host may grow by, whatever lies in the folder. */
const growth = 300;

let connections = 0;
const decoy = createServer((socket) => {
  connections++;
  socket.on('error', () => undefined);
});
after(() => decoy.close());

async function writeHostileRuns(folder: string): Promise<void> {
  const runs = join(folder, 'runs');
  const folderOf = async (name: string) => {
    await mkdir(join(runs, name), { recursive: true });
    return join(runs, name);
  };
  for (let at = 1; at <= 6; at++) await symlink('/dev/zero', join(await folderOf(`a-zero-${at}`), 'run.json'));
  for (let at = 1; at <= 5; at++) execFileSync('mkfifo', [join(await folderOf(`b-fifo-${at}`), 'run.json')]);
  await symlink('/dev/zero', join(await writeRunWithoutEvents(runs, 'c-endless'), 'metrics.jsonl'));
  const sparse = join(await folderOf('d-sparse'), 'run.json');
  await writeFile(sparse, '{');
  await truncate(sparse, 10 * 1024 ** 3);
  await symlink('run.json', join(await folderOf('e-loop'), 'run.json'));
  await writeFile(join(await folderOf('f-\u001b[2J\u202egnp'), 'run.json'), '{}');
  const oneLine = join(await writeRunWithoutEvents(runs, 'one-line'), 'metrics.jsonl');
  await writeFile(oneLine, '{');
  await truncate(oneLine, 3 * 1024 ** 3);
  const address = join(folder, 'decoy');
  await new Promise<void>((resolve) => decoy.listen(address, resolve));
  const started = new Date().toISOString();
  for (const [name, pid] of Object.entries({ 'pid-this': process.pid, 'pid-init': 1, 'pid-all': -1, 'pid-group': 0 })) {
    await writeRun(runs, name, { state: 'running', process: { pid, started, socket: address } });
  }
  await writeRun(runs, 'long');
  await Promise.all(
    Array.from({ length: junkFolders }, async (_, at) => writeFile(join(await folderOf(`z-${at}`), 'run.json'), '{}')),
  );
}

async function writeRunWithoutEvents(runs: string, name: string): Promise<string> {
  return writeRun(runs, name, { created: '2026-02-02T00:00:00.000Z' });
}

const scenario = stage({
  workspaceTrust: true,
  // The list is drawn as far as it is seen.
  viewport: { width: 1280, height: 1600 },
  settings: { 'security.workspace.trust.startupPrompt': 'never' },
  prepare: writeHostileRuns,
});

scenario(
  'folders that are no runs are listed with the reason, and cost the extension host next to nothing',
  async (here) => {
    const { workbench } = here;
    await openViewContainer(workbench, 'Fivecrop');
    for (const name of ['a-zero-6', 'b-fifo-5', 'c-endless', 'd-sparse', 'e-loop', 'f-␛[2J\\u202egnp']) {
      const row = treeRow(workbench, 'Checkpoints', name);
      await row.waitFor();
      assert.match((await row.textContent()) ?? '', /cannot be read/, name);
    }
    await treeRow(workbench, 'Checkpoints', 'd-sparse').hover();
    await workbench.page
      .getByText(/run\.json has 10,240 MiB/)
      .first()
      .waitFor();
    await screenshot(workbench, 'scenario-hostile-runs', ['dark', 'light', 'highContrast']);
    const before = await hostMemory(workbench.server.pid);
    await runCommandOn(workbench, 'Fivecrop: Show Run', /one-line/);
    await webview(workbench)
      .getByText(/has a line of more than/)
      .first()
      .waitFor();
    const { pid, most } = await hostMemory(workbench.server.pid);
    console.log(`extension host: ${before.now} MB with the lists, ${most} MB at most`);
    assert.equal(pid, before.pid);
    assert.ok(most < before.now + growth, `${most} MB`);
    assert.equal(connections, 0);
  },
);

scenario(
  'a hundred thousand steps that come while the panel is open leave memory flat, and are drawn',
  async (here) => {
    const { workbench, folder } = here;
    await runCommandOn(workbench, 'Fivecrop: Show Run', /long/);
    const page = webview(workbench);
    await page.locator('table.values tbody tr').waitFor();
    const [host, pageBytes] = [await hostMemory(workbench.server.pid), await bytesOfPage(here)];
    const file = join(folder, 'runs', 'long', 'metrics.jsonl');
    for (let from = 1; from <= longRunSteps; from += 1000) {
      const lines = Array.from({ length: 1000 }, (_, at) => JSON.stringify(stepEvent(from + at)));
      await appendFile(file, `${lines.join('\n')}\n`);
    }
    await page
      .getByText(new RegExp(`^${longRunSteps.toLocaleString('en').replace(',', '.?')}`))
      .first()
      .waitFor();
    await screenshot(workbench, 'scenario-long-run', ['dark', 'light', 'highContrast']);
    const [after, pageAfter] = [await hostMemory(workbench.server.pid), await bytesOfPage(here)];
    const pageGrowth = (pageAfter - pageBytes) / 1e6;
    console.log(
      `${longRunSteps} steps: extension host ${host.now} to ${after.now} MB, page ${pageGrowth.toFixed(1)} MB more of JavaScript`,
    );
    assert.ok(after.now < host.now + 150, `extension host from ${host.now} to ${after.now} MB`);
    assert.ok(pageGrowth < 60, `page grew by ${pageGrowth} MB`);
  },
);

scenario(
  'in a trusted folder nobody is spoken to but one’s own trainers, and nothing is signalled',
  async ({ workbench }) => {
    await runCommand(workbench, 'Workspaces: Manage Workspace Trust');
    await workbench.page.getByRole('button', { name: 'Trust', exact: true }).click();
    await runCommandOn(workbench, 'Fivecrop: Show Run', /pid-this/);
    await webview(workbench).locator('table.values tbody tr').waitFor();
    await runCommandOn(workbench, 'Fivecrop: Show Run', /one-line/);
    await webview(workbench)
      .getByText(/has a line of more than/)
      .first()
      .waitFor();
    const { now, most } = await hostMemory(workbench.server.pid);
    console.log(`extension host after trust: ${now} MB, ${most} MB at most`);
    assert.ok(most < 600, `${most} MB`);
    assert.equal(connections, 0);
  },
);

function stepEvent(step: number) {
  const figures = { imagesPerSecond: 10, memoryBytes: 1e8, device: 'cpu', epoch: step / 1000, learningRate: 0.001 };
  const loss = step % 9973 === 0 ? 9 : 1 + 1 / (1 + step / 1000) + (step % 10) / 100;
  return { event: 'step', time: new Date(1_770_000_000_000 + step * 10).toISOString(), step, loss, ...figures };
}

/** JavaScript memory of the page, after its garbage was collected. */
async function bytesOfPage({ workbench }: Stage): Promise<number> {
  const frame = workbench.page
    .frames()
    .find((each) => each.url().includes('fake.html') || each.name() === 'active-frame');
  assert.ok(frame, 'the page has no frame');
  return frame.evaluate<number>('performance.memory ? performance.memory.usedJSHeapSize : 0');
}

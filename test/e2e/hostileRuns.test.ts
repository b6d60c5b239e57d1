import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { after } from 'node:test';
import type { Evaluation } from '../../src/protocol/evaluation.ts';
import { writeRun } from '../unit/extension/storedRun.ts';
import { hostMemory } from './hostUsage.ts';
import { stage, type Stage } from './scenarios.ts';
import { until } from './until.ts';
import {
  chooseInContextMenu,
  contextMenuOf,
  openViewContainer,
  runCommand,
  runCommandOn,
  screenshot,
  treeRow,
  webview,
} from './workbench.ts';

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
/** What a record of another machine names by chance. */
const bystander = spawn('sleep', ['1000']);
after(() => bystander.kill('SIGKILL'));
/** The locks of runs on another machine, which give their signs of life for as long as the test runs. */
const farLocks: string[] = [];
const beat = setInterval(() => {
  for (const lock of farLocks) utimes(lock, new Date(), new Date()).catch(() => undefined);
}, 5000);
after(() => clearInterval(beat));

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
  await writeRunsElsewhere(runs, address);
  await writePipesForCheckpoints(runs);
  await writeHostileResults(runs);
  // A run that has ended is not followed.
  await writeRun(runs, 'long', { state: 'running', process: { pid: process.pid, started } });
  await Promise.all(
    Array.from({ length: junkFolders }, async (_, at) => writeFile(join(await folderOf(`z-${at}`), 'run.json'), '{}')),
  );
}

async function writeRunWithoutEvents(runs: string, name: string): Promise<string> {
  return writeRun(runs, name, { created: '2026-02-02T00:00:00.000Z' });
}

/** Runs that another machine trains, one of which looks for what its folder asks, one that waits for a job, and one that was lost. */
async function writeRunsElsewhere(runs: string, socket: string): Promise<void> {
  const owner = { pid: bystander.pid ?? 0, started: new Date().toISOString(), host: 'another.example', socket };
  for (const [name, heedsControl] of Object.entries({ far: false, 'far-heeding': true })) {
    const folder = await writeRun(runs, name, { state: 'running', process: owner, heedsControl });
    const lock = join(folder, 'run.lock');
    farLocks.push(lock);
    await writeFile(lock, JSON.stringify(owner));
  }
  const job = { version: 1, scheduler: 'slurm', job: '12_3', submitted: owner.started, requeues: 1 };
  const waiting = await writeRun(runs, 'job-waiting', { state: 'preparing' });
  const lost = await writeRun(runs, 'job-lost', { state: 'running', process: owner, heedsControl: true });
  for (const folder of [waiting, lost]) await writeFile(join(folder, 'job.json'), JSON.stringify(job));
  await utimes(join(lost, 'run.json'), 0, 0);
}

async function writePipesForCheckpoints(runs: string): Promise<void> {
  const checkpoints = join(await writeRun(runs, 'pipes'), 'checkpoints');
  for (const name of ['best', 'last', 'epoch-001']) {
    execFileSync('mkfifo', [join(checkpoints, `${name}.safetensors`)]);
  }
  execFileSync('mkfifo', [join(checkpoints, 'best.test-1.data-00000000.evaluation.json')]);
  await symlink('/dev/zero', join(checkpoints, 'epoch-002.safetensors'));
  await writeFile(join(checkpoints, 'epoch-003.safetensors'), '');
  await truncate(join(checkpoints, 'epoch-003.safetensors'), 10 * 1024 ** 3);
}

const markup = '<img src=x onerror=alert(1)>';

/** Test results beside a checkpoint, of which one can be shown: its names are markup and control characters. */
async function writeHostileResults(runs: string): Promise<void> {
  const checkpoints = join(await writeRun(runs, 'results'), 'checkpoints');
  await writeFile(join(checkpoints, 'best.safetensors'), 'none');
  const file = (split: string) => join(checkpoints, `best.${split}-1.data-00000000.evaluation.json`);
  const label = (index: number, name: string) => ({ index, folder: name, name, images: 2, accuracy: 0.5 });
  const result = { actual: 0, predicted: 1, probability: 0.9, actualProbability: 0.1 };
  const shown: Evaluation = {
    ...{ version: 1, checkpoint: markup, data: `/data/${markup}`, split: 'shown', cropCount: 1, images: 4, leftOut: 0 },
    ...{ loss: 1, accuracy: 0.5, top5: 1, time: '2026-01-02T03:04:05.000Z' },
    perClass: [label(0, markup), label(1, '\u001b[2J\u202egnp')],
    confusion: [
      [0, 0, 1],
      [0, 1, 1],
      [1, 0, 1],
      [1, 1, 1],
    ],
    results: [{ ...result, image: `/data/${markup}.png` }],
    selection: { chosenBy: 'all', knowsTraining: true, alreadyUsed: 0, notes: [`Chosen by ${markup}\u001b[2J`] },
  };
  const write = (split: string, changes: object) =>
    writeFile(file(split), JSON.stringify({ ...shown, split, time: '2026-02-02T00:00:00.000Z', ...changes }));
  await writeFile(file('shown'), JSON.stringify(shown));
  await write('sum', { confusion: [[0, 1, Number.MAX_SAFE_INTEGER]] });
  await write('right', { accuracy: 1 });
  await write('twice', { confusion: [...Array.from({ length: 3 }, () => [0, 0, 1]), [0, 1, 1]] });
  await write('index', { perClass: [label(1e9, 'far')] });
  await write('negative', { images: -4 });
  await writeFile(file('deep'), `${'['.repeat(1e6)}${']'.repeat(1e6)}`);
  await writeFile(file('many'), `[${'[],'.repeat(5e6)}0]`);
  await writeFile(file('sparse'), '');
  await truncate(file('sparse'), 10 * 1024 ** 3);
  execFileSync('mkfifo', [file('pipe')]);
  await symlink('/dev/zero', file('endless'));
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
  'pipes and devices in place of checkpoints are listed as unreadable, and what would need one is not offered',
  async ({ workbench }) => {
    const row = treeRow(workbench, 'Checkpoints', 'pipes');
    await row.click();
    await row.press('ArrowRight');
    for (const name of ['best', 'last', 'epoch-001', 'epoch-002', 'epoch-003']) {
      const checkpoint = treeRow(workbench, 'Checkpoints', name);
      assert.match((await checkpoint.textContent()) ?? '', /cannot be read/, name);
    }
    await screenshot(workbench, 'scenario-pipes', ['dark', 'light', 'highContrast']);
    assert.ok(!(await contextMenuOf(workbench, row)).includes('Show Test Results'));
    await row.press('ArrowLeft');
  },
);

scenario('of hostile test results the one whose counts agree is shown, its markup as text', async ({ workbench }) => {
  const before = await hostMemory(workbench.server.pid);
  // It is the only run with an ordinary file for a checkpoint, so nothing is asked.
  await runCommand(workbench, 'Fivecrop: Show Test Results');
  const page = webview(workbench);
  await page.getByText(`shown images of /data/${markup}`).waitFor();
  await page.getByText(`Chosen by ${markup}␛[2J`).waitFor();
  // There would be a choice of what was tested.
  assert.equal(await page.getByLabel('Tested on').isVisible(), false);
  assert.equal(await page.locator('img[src="x"]').count(), 0);
  await screenshot(workbench, 'scenario-hostile-results', ['dark', 'light', 'highContrast']);
  const { pid, most } = await hostMemory(workbench.server.pid);
  console.log(`extension host: ${before.now} MB before the test results, ${most} MB at most`);
  assert.equal(pid, before.pid);
  assert.ok(most < before.now + growth, `${most} MB`);
});

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
    assert.ok(pageGrowth < 20, `page grew by ${pageGrowth} MB`);
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

scenario(
  'a run of another machine is shown as one, with no control that cannot work, and asked by its folder if it looks there',
  async ({ workbench, folder }) => {
    await openViewContainer(workbench, 'Fivecrop');
    const rowOf = (name: string) => treeRow(workbench, 'Checkpoints', name);
    const offered = async (name: string) =>
      (await contextMenuOf(workbench, rowOf(name))).filter((entry) =>
        /Stop|Pause|Resume|Again$|Rename|Delete|Job/u.test(entry),
      );
    assert.match((await rowOf('far').textContent()) ?? '', /running on another\.example/);
    assert.deepEqual(await offered('far'), []);
    assert.match((await rowOf('job-waiting').textContent()) ?? '', /requeued/);
    assert.deepEqual(await offered('job-waiting'), ['Stop', 'Show Job Status']);
    assert.match((await rowOf('job-lost').textContent()) ?? '', /lost/);
    assert.deepEqual(await offered('job-lost'), ['Start Again', 'Show Job Status', 'Rename...', 'Delete']);
    assert.deepEqual(await offered('far-heeding'), ['Pause', 'Stop']);
    await chooseInContextMenu(workbench, rowOf('far-heeding'), 'Stop');
    const control = join(folder, 'runs', 'far-heeding', 'control.json');
    await until('the run is asked', () => existsSync(control));
    const asked = JSON.parse(await readFile(control, 'utf8')) as { action: string };
    assert.equal(asked.action, 'stop');
    await rowOf('far-heeding').getByText('stopping').waitFor();
    assert.deepEqual(await offered('far-heeding'), []);
    await runCommandOn(workbench, 'Fivecrop: Show Run', 'far');
    const page = webview(workbench);
    await page
      .getByText('far trains on another machine or in another container (another.example): pause or stop it there.')
      .waitFor();
    for (const name of ['Pause', 'Stop']) {
      const control = page.getByRole('button', { name, exact: true });
      assert.ok(await control.isDisabled(), name);
    }
    await screenshot(workbench, 'scenario-elsewhere', ['dark', 'light', 'highContrast']);
    assert.equal(connections, 0);
    assert.equal(bystander.exitCode ?? bystander.signalCode, null, 'the process of that number was signalled');
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
  const context = workbench.page.context();
  const session = await context.newCDPSession(frame).catch(() => context.newCDPSession(workbench.page));
  await session.send('HeapProfiler.collectGarbage');
  await session.detach();
  return frame.evaluate<number>('performance.memory ? performance.memory.usedJSHeapSize : 0');
}

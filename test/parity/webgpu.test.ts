import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { messageOf } from '../../src/protocol/errors.ts';
import { type Card, cardText } from '../../src/protocol/runRecord.ts';
import { softwareVulkan } from '../../scripts/host/browser.ts';
import { hasRegistryHost } from '../../scripts/host/codeHost.ts';

/** The environment of a software Vulkan device, or why there is none. */
async function findVulkan(): Promise<Record<string, string> | string> {
  if (!hasRegistryHost()) return 'needs the software Vulkan device of a package for linux-x64';
  try {
    return await softwareVulkan();
  } catch (error) {
    return `needs a software Vulkan device: ${messageOf(error)}`;
  }
}

const vulkan = await findVulkan();
const skip = typeof vulkan === 'string' && vulkan;

/** What the child wrote. Into files, because native code loses what a full pipe does not take at once. */
function runChild(task: 'check' | 'train' | 'replay' | 'place' | 'profile'): { stdout: string; stderr: string } {
  assert.ok(typeof vulkan !== 'string');
  const folder = mkdtempSync(join(tmpdir(), 'fivecrop-webgpu-'));
  try {
    const [out, err] = [openSync(join(folder, 'out'), 'w'), openSync(join(folder, 'err'), 'w')];
    const file = join(import.meta.dirname, 'webgpuChild.ts');
    const { status, error } = spawnSync(process.execPath, ['--import', 'tsx', file, task], {
      env: { ...process.env, ...vulkan },
      stdio: ['ignore', out, err],
      timeout: 240_000,
    });
    closeSync(out);
    closeSync(err);
    const [stdout, stderr] = ['out', 'err'].map((name) => readFileSync(join(folder, name), 'utf8'));
    assert.equal(status, 0, error?.message ?? stderr?.slice(-2000));
    return { stdout: stdout ?? '', stderr: stderr ?? '' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the child says of a training whose steps are replayed; see `compareReplays`. */
interface Replayed {
  readonly runs: number;
  readonly replays: number;
  readonly reasons: readonly string[];
  readonly difference: number;
  readonly lossDifference: number;
}

test('a training step on WebGPU, on a software device, has the CPU’s gradients', { skip }, () => {
  const { stdout } = runChild('check');
  const line = stdout.trim().split('\n').at(-1) ?? '';
  const { card, ...figures } = JSON.parse(line) as { card?: Card } & Record<string, number>;
  const { difference, lossDifference, secondsPerStep } = figures;
  assert.ok(difference !== undefined && difference > 0 && difference < 1e-3, `the largest difference is ${difference}`);
  // Five steps, whose losses are only the CPU's where each update was.
  assert.ok(lossDifference !== undefined && lossDifference < 1e-4, `the losses are off by ${lossDifference}`);
  assert.ok(secondsPerStep !== undefined && secondsPerStep > 0);
  assert.match(card ? cardText(card) : '', /^SwiftShader .*, driver SwiftShader/u);
});

test(
  'steps over more parameters than a device binds at once, whole and in parts, end as the CPU’s do',
  { skip },
  () => {
    const { stdout } = runChild('train');
    const { tensors = 0, difference } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>;
    assert.ok(tensors > 90, `${tensors} tensors`);
    assert.ok(difference !== undefined && difference < 1e-3, `the largest difference is ${difference}`);
  },
);

test(
  'steps that are recorded and replayed end as the CPU’s do, and a replay that is wrong is noticed and not taken',
  { skip },
  () => {
    const { stdout } = runChild('replay');
    const results = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as readonly Replayed[];
    const [convolutions, attention, noticed, late] = results;
    assert.ok(convolutions && attention && noticed && late);
    for (const { replays, runs, reasons, difference, lossDifference } of [convolutions, attention]) {
      // Of thirty steps one is of a smaller batch and one in parts; three replays are held to two runs each.
      assert.deepEqual({ replays, runs, reasons }, { replays: 28, runs: 6, reasons: [] });
      assert.ok(difference < 1e-4, `the state differs by ${difference}`);
      assert.ok(lossDifference < 1e-5, `the losses differ by ${lossDifference}`);
    }
    const wrong = /^a replay differs from a run in .+ by .+, of which .+ was allowed/u;
    assert.deepEqual(noticed.replays, 8);
    assert.match(noticed.reasons.join(), wrong);
    assert.ok(noticed.difference < 1e-4 && noticed.lossDifference < 1e-5, JSON.stringify(noticed));
    assert.deepEqual(late.replays, 8);
    assert.match(late.reasons.join(), wrong);
    assert.match(late.reasons.join(), /; the 5 steps before it were not compared and may be wrong$/u);
  },
);

test('of a training step, its parts and a validation on WebGPU no node is left to the CPU', { skip }, () => {
  const { stdout, stderr } = runChild('place');
  const models = Number(stdout.trim());
  assert.ok(models >= 8);
  // ONNX Runtime lists the operators of each provider where there is more than one, and says so where there is not.
  const placements = [...stderr.matchAll(/(All nodes|Node\(s\)) placed on \[(\w+)\]\. Number of nodes: (\d+)/g)];
  assert.deepEqual(
    placements.map(([, which, provider]) => `${which} on ${provider}`),
    Array.from({ length: models }, () => 'All nodes on WebGpuExecutionProvider'),
    stderr
      .split('\n')
      .filter((line) => line.includes('VerifyEachNodeIsAssignedToAnEp'))
      .join('\n'),
  );
});

test('what the CPU ran is told by a profile of a step, as it is on an NVIDIA card', { skip }, () => {
  const { stdout } = runChild('profile');
  const { operators, ...named } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
    operators: number;
    onCpu: string[];
    partly: string[];
  };
  assert.ok(operators > 100, `${operators} operators`);
  assert.deepEqual(named, { onCpu: [], partly: ['Det'] });
});

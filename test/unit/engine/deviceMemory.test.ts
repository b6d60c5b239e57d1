import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import {
  machineFingerprint,
  recallDevices,
  recallLibrary,
  rememberDevices,
  rememberLibrary,
  type RememberedDevices,
} from '../../../src/ml/engine/deviceMemory.ts';

const found: RememberedDevices = {
  devices: [{ engine: 'onnx', device: 'webgpu', secondsPerStep: 0.01 }],
  refused: [{ engine: 'onnx', device: 'cuda', reason: 'its CUDA libraries are not installed', absent: true }],
  cpu: { onnx: 0.02 },
};
let outside: string | undefined;
let folder = '';

beforeEach(async () => {
  outside = process.env['FIVECROP_CACHE'];
  folder = await mkdtemp(join(tmpdir(), 'fivecrop-devices-'));
  process.env['FIVECROP_CACHE'] = join(folder, 'cache');
});

afterEach(async () => {
  if (outside === undefined) delete process.env['FIVECROP_CACHE'];
  else process.env['FIVECROP_CACHE'] = outside;
  await rm(folder, { recursive: true, force: true });
});

test('what was found is remembered for the same machine, in one file, and for no other', async () => {
  await rememberDevices('this machine', found);
  assert.deepEqual(await readdir(join(folder, 'cache')), ['devices.json']);
  const recalled = await recallDevices('this machine');
  assert.deepEqual({ devices: recalled?.devices, refused: recalled?.refused, cpu: recalled?.cpu }, found);
  assert.equal(await recallDevices('another machine'), undefined);
});

test('what two versions of Node found on one machine is remembered by turns, and of many the newest', async () => {
  await rememberLibrary('Node 22', {});
  await rememberLibrary('Node of the editor', { reason: 'its check ended with SIGSEGV' });
  await rememberLibrary('Node 22', {});
  assert.deepEqual(await recallLibrary('Node 22'), {});
  assert.deepEqual(await recallLibrary('Node of the editor'), { reason: 'its check ended with SIGSEGV' });
  for (let version = 0; version < 8; version++) await rememberLibrary(`Node ${String(version)} to come`, {});
  assert.equal(await recallLibrary('Node 22'), undefined);
  assert.deepEqual(await recallLibrary('Node 0 to come'), {});
});

test('passing trouble with the library is remembered for an hour, also if the clock is set back', async () => {
  const now = Date.parse('2030-01-01T12:00:00Z');
  const minutes = 60_000;
  await rememberLibrary('this machine', { reason: 'its check took longer than 30 s', passing: true }, now);
  const recalled = await recallLibrary('this machine', now + 59 * minutes);
  assert.equal(recalled?.reason, 'its check took longer than 30 s');
  assert.equal(await recallLibrary('this machine', now + 61 * minutes), undefined);
  assert.equal(await recallLibrary('this machine', now - 24 * 60 * minutes), undefined);
});

test('a memory that is missing, broken or of another form counts as none', async () => {
  assert.equal(await recallDevices('this machine'), undefined);
  await rememberDevices('this machine', found);
  const file = join(folder, 'cache', 'devices.json');
  const text = await readFile(file, 'utf8');
  for (const broken of [text.slice(0, -5), '[]', text.replace('secondsPerStep', 'minutes')]) {
    await writeFile(file, broken);
    assert.equal(await recallDevices('this machine'), undefined, broken);
  }
});

test('a cache folder that cannot be written stops nothing', async () => {
  await writeFile(join(folder, 'cache'), 'a file where the folder should be');
  await rememberDevices('this machine', found);
  assert.equal(await recallDevices('this machine'), undefined);
});

test('a cache folder that is set to nothing is the system’s, not the folder one happens to be in', async () => {
  const system = process.env['XDG_CACHE_HOME'];
  process.env['FIVECROP_CACHE'] = '';
  process.env['XDG_CACHE_HOME'] = join(folder, 'system');
  try {
    await rememberDevices('this machine', found);
    assert.deepEqual(await readdir(join(folder, 'system', 'fivecrop')), ['devices.json']);
  } finally {
    if (system === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = system;
  }
});

test('the fingerprint is the same each time, and another with other versions or another driver', () => {
  const fingerprint = machineFingerprint(['1.0.0']);
  assert.equal(machineFingerprint(['1.0.0']), fingerprint);
  assert.notEqual(machineFingerprint(['1.0.1']), fingerprint);
  const driver = process.env['VK_ICD_FILENAMES'];
  try {
    process.env['VK_ICD_FILENAMES'] = `${driver ?? ''}/another.json`;
    assert.notEqual(machineFingerprint(['1.0.0']), fingerprint);
  } finally {
    if (driver === undefined) delete process.env['VK_ICD_FILENAMES'];
    else process.env['VK_ICD_FILENAMES'] = driver;
  }
});

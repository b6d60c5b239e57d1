import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../src/protocol/errors.ts';
import { automaticChoice, chooseEngine, type EngineWish } from '../../src/ml/engine/chooseEngine.ts';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { probeDevice } from '../../src/ml/engine/probeDevice.ts';
import { trustedDifference } from '../../src/ml/engine/selfCheck.ts';

const folder = await mkdtemp(join(tmpdir(), 'fivecrop-choose-'));
process.env['FIVECROP_CACHE'] = folder;
after(() => rm(folder, { recursive: true, force: true }));
const memory = join(folder, 'devices.json');

const messages: string[] = [];
const wish = (device: EngineWish['device'], engine: EngineWish['engine'] = 'auto'): EngineWish => ({
  engine,
  device,
  log: (message) => messages.push(message),
});

interface Remembered {
  devices: object[];
  refused: object[];
  cpu: { onnx?: number };
  fingerprint: string;
}

/** What was found last. */
async function remembered(): Promise<Remembered> {
  const { found } = JSON.parse(await readFile(memory, 'utf8')) as { found: Remembered[] };
  const [newest] = found;
  assert.ok(newest);
  return newest;
}

/** Puts other findings in the place of those that are remembered of this machine. */
async function pretend(findings: Partial<Remembered>): Promise<void> {
  const found = [{ ...(await remembered()), devices: [], refused: [], ...findings }];
  await writeFile(memory, JSON.stringify({ found }));
}

const graphicsCard = (secondsPerStep: number) => ({ engine: 'onnx', device: 'webgpu', secondsPerStep });

test('the CPU by name is taken at once, of the engine that is asked for', async () => {
  const { engine, device, fallbacks } = await chooseEngine(wish('cpu'));
  assert.deepEqual([engine.name, device, fallbacks], ['onnx', 'cpu', []]);
  assert.equal((await chooseEngine(wish('cpu', 'tensorflow'))).engine.name, 'tensorflow');
});

test('a device by name that is missing is refused in one sentence that says why and what to do', async () => {
  const missing = (await onnxEngine.devices()).find(({ available }) => !available);
  assert.ok(missing, 'no machine has DirectML and CoreML both');
  await assert.rejects(chooseEngine(wish(missing.name as EngineWish['device'], 'onnx')), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.kind, 'failure');
    assert.match(error.message, new RegExp(`^The device "${missing.name}" cannot be used: onnx: not in this package`));
    assert.match(error.message, /Choose another --device, or auto; `fivecrop devices` lists them\.$/);
    return true;
  });
  await assert.rejects(chooseEngine(wish('webgpu', 'tensorflow')), /tensorflow: has no such device/);
});

test('a probe answers from a process of its own: the CPU agrees with itself, and what fails says why', async () => {
  const cpu = await probeDevice('onnx', 'cpu');
  assert.ok('difference' in cpu && cpu.difference !== null && cpu.difference < trustedDifference, JSON.stringify(cpu));
  assert.ok(cpu.lossDifference !== null && cpu.lossDifference < trustedDifference, JSON.stringify(cpu));
  assert.ok(cpu.secondsPerStep > 0 && cpu.secondsPerStep < 60);
  const unknown = await probeDevice('onnx', 'abacus');
  assert.ok('error' in unknown && unknown.error.includes('abacus'), JSON.stringify(unknown));
});

test('auto tries the devices once and then knows them', async () => {
  messages.length = 0;
  const first = await chooseEngine(wish('auto'));
  const tried = await remembered();
  const accelerators = (await onnxEngine.devices()).filter(({ name, available }) => available && name !== 'cpu');
  assert.ok(tried.devices.length + tried.refused.length >= accelerators.length);
  const said = messages.filter((message) => message.includes('Checking the devices')).length;
  assert.equal(said, accelerators.length > 0 ? 1 : 0);
  messages.length = 0;
  const second = await chooseEngine(wish('auto'));
  assert.deepEqual([second.engine.name, second.device], [first.engine.name, first.device]);
  assert.deepEqual(messages, []);
});

test('auto takes what is remembered as faster than the CPU, the fastest first', async () => {
  await pretend({ devices: [{ ...graphicsCard(1e-9), device: 'cuda' }, graphicsCard(1e-10)] });
  const { engine, device, fallbacks } = await chooseEngine(wish('auto'));
  assert.deepEqual([engine.name, device, fallbacks], ['onnx', 'webgpu', []]);
});

test('auto times the CPU once a machine: then it is compared by what is remembered', async () => {
  await pretend({ devices: [graphicsCard(1e-3)], cpu: {} });
  await chooseEngine(wish('auto'));
  const { cpu } = await remembered();
  assert.ok(cpu.onnx !== undefined && cpu.onnx > 0, JSON.stringify(cpu));
  // No CPU takes that long, and none is that fast: only the memory can be what decides.
  await pretend({ devices: [graphicsCard(1e3)], cpu: { onnx: 1e4 } });
  assert.equal((await chooseEngine(wish('auto'))).device, 'webgpu');
  await pretend({ devices: [graphicsCard(1e-9)], cpu: { onnx: 1e-10 } });
  assert.equal((await chooseEngine(wish('auto'))).device, 'cpu');
});

test('auto says why it takes the CPU where a graphics card is slower or fails, and nothing of one that is not there', async () => {
  const failing = { engine: 'onnx', device: 'cuda', reason: 'its gradients are not numbers', absent: false };
  const absent = { engine: 'onnx', device: 'webgpu', reason: 'no graphics adapter was found', absent: true };
  await pretend({ devices: [graphicsCard(1e9)], refused: [failing], cpu: { onnx: 1 } });
  const { device, fallbacks } = await chooseEngine(wish('auto'));
  assert.equal(device, 'cpu');
  assert.deepEqual(fallbacks, [
    'The CPU is used. onnx on webgpu: slower than the CPU here; onnx on cuda: its gradients are not numbers.',
  ]);
  await pretend({ refused: [absent] });
  assert.deepEqual((await chooseEngine(wish('auto'))).fallbacks, []);
});

test('what auto takes is told with the reason', async () => {
  const failing = { engine: 'onnx', device: 'cuda', reason: 'its gradients are not numbers', absent: false };
  const choice = () => automaticChoice(() => undefined);
  await pretend({ devices: [graphicsCard(0.25)], cpu: { onnx: 1 } });
  const reason = 'it passes the check and is 4.0 times as fast as the CPU';
  assert.deepEqual(await choice(), { engine: 'onnx', device: 'webgpu', reason });
  await pretend({ devices: [graphicsCard(30)], cpu: { onnx: 2 } });
  assert.deepEqual(await choice(), {
    engine: 'onnx',
    device: 'cpu',
    reason: 'it is 15 times as fast as onnx on webgpu',
  });
  await pretend({ refused: [failing] });
  assert.equal((await choice()).reason, 'the check refused onnx on cuda');
  await pretend({});
  assert.equal((await choice()).reason, 'no graphics card that can be used was found');
});

test('gpu takes a graphics card however slow, and is refused with the reasons where there is none', async () => {
  await pretend({ devices: [graphicsCard(1e9)] });
  assert.equal((await chooseEngine(wish('gpu'))).device, 'webgpu');
  await pretend({
    refused: [{ engine: 'onnx', device: 'webgpu', reason: 'no graphics adapter was found', absent: true }],
  });
  await assert.rejects(chooseEngine(wish('gpu')), {
    message:
      'No graphics card can be used: onnx on webgpu: no graphics adapter was found. ' +
      'Train with --device cpu, or see `fivecrop devices`.',
  });
  await assert.rejects(chooseEngine(wish('gpu', 'tensorflow')), /can be used: none was found/);
});

test('what was remembered of another machine is not trusted: the devices are tried again', async () => {
  await pretend({ devices: [{ ...graphicsCard(1e-9), device: 'dml' }], fingerprint: 'another machine' });
  const { device } = await chooseEngine(wish('auto'));
  assert.notEqual(device, 'dml');
  const { fingerprint } = await remembered();
  assert.notEqual(fingerprint, 'another machine');
});

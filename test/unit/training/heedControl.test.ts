import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RunControlAction } from '../../../src/protocol/runControl.ts';
import { createTrainingControl } from '../../../src/ml/training/run/control.ts';
import { heedControl } from '../../../src/ml/training/run/heedControl.ts';
import { requestControl } from '../../../src/runs/control.ts';
import { temporaryFolder } from '../extension/storedRun.ts';

test('a run does what is asked of it in its folder, within a second and in order', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const folder = await temporaryFolder(context);
  const control = createTrainingControl();
  const end = heedControl(folder, control);
  const ask = async (action: RunControlAction) => {
    await requestControl(folder, action);
    context.mock.timers.tick(1000);
    while (existsSync(join(folder, 'control.json'))) await nextTurn();
  };
  const becomes = async (isSo: () => boolean) => {
    while (!isSo()) await nextTurn();
  };
  await ask('pause');
  await becomes(() => control.paused);
  await ask('resume');
  await becomes(() => !control.paused);
  await ask('stop');
  await becomes(() => control.signal.aborted);
  end();
  await requestControl(folder, 'pause');
  context.mock.timers.tick(5000);
  assert.ok(existsSync(join(folder, 'control.json')), 'a run that has ended hears nothing');
});

test('what was asked before a run that waited began is heard at once', async (context) => {
  const folder = await temporaryFolder(context);
  await requestControl(folder, 'stop');
  const control = createTrainingControl();
  context.after(heedControl(folder, control));
  while (!control.signal.aborted) await nextTurn();
});

test('a stop that is asked for while a job saves is left for when the job begins anew', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const folder = await temporaryFolder(context);
  const control = createTrainingControl();
  const end = heedControl(folder, control);
  control.stop();
  await requestControl(folder, 'stop');
  context.mock.timers.tick(5000);
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  assert.ok(existsSync(join(folder, 'control.json')));
  end();
  const anew = createTrainingControl();
  context.after(heedControl(folder, anew));
  while (!anew.signal.aborted) await nextTurn();
});

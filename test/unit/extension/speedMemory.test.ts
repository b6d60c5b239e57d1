import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveRun } from '../../../src/extension/trainer/liveRuns.ts';
import { createSpeedMemory } from '../../../src/extension/trainer/speedMemory.ts';
import { trainingConfigSchema, type TrainingConfig } from '../../../src/protocol/trainingConfig.ts';
import type { StoredRun } from '../../../src/runs/list.ts';

const config = (changes: Partial<TrainingConfig> = {}) =>
  trainingConfigSchema.parse({ data: '/d', network: { kind: 'architecture', name: 'resnet18' }, ...changes });

/** Runs of this machine that train with `settings`, each under a folder. */
function machine(settings: Record<string, TrainingConfig>) {
  const kept = new Map<string, unknown>();
  const listeners: { change?: () => void; end?: (run: StoredRun) => void } = {};
  const disposable = { dispose: () => undefined };
  let all: LiveRun[] = [];
  const runOf = (folder: string) =>
    ({ folder, state: 'running', record: { name: folder, state: 'running', config: settings[folder] } }) as StoredRun;
  const memory = {
    get: (key: string, preset: unknown) => kept.get(key) ?? preset,
    update: (key: string, value: unknown) => Promise.resolve(void kept.set(key, value)),
  };
  const live = {
    all: () => all,
    onDidChange: (listener: () => void) => {
      listeners.change = listener;
      return disposable;
    },
    onDidEnd: (listener: (run: StoredRun) => void) => {
      listeners.end = listener;
      return disposable;
    },
  };
  type Known = Parameters<typeof createSpeedMemory>;
  const speeds = createSpeedMemory(memory as unknown as Known[0], live, { get: runOf });
  return {
    speeds,
    /** A run goes that fast and ends. */
    train: (folder: string, imagesPerSecond: number) => {
      all = [{ folder, step: { imagesPerSecond } as LiveRun['step'], totalSteps: undefined }];
      listeners.change?.();
      all = [];
      listeners.end?.(runOf(folder));
    },
  };
}

test('a speed is known of what was trained here in the same way, and of nothing else', () => {
  const small = config({ method: 'scratch', imageSize: 64 });
  const { speeds, train } = machine({ head: config(), small });
  assert.equal(speeds.imagesPerSecond(config()), undefined);
  train('head', 12);
  train('small', 200);
  assert.equal(speeds.imagesPerSecond(config({ epochs: 9, batchSize: 4, data: '/elsewhere' })), 12);
  assert.equal(speeds.imagesPerSecond(small), 200);
  for (const other of [
    { imageSize: 128 },
    { method: 'full' },
    { augment: 'none' },
    { frozenPrecision: 'int8' },
    { device: 'webgpu' },
  ] as const) {
    assert.equal(speeds.imagesPerSecond(config(other)), undefined, JSON.stringify(other));
  }
  train('head', 15);
  assert.equal(speeds.imagesPerSecond(config()), 15, 'the last run counts');
});

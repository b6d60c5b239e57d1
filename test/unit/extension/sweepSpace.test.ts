import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { baseOf, fewestToHalve, gridSize, proposalsFor, spaceOf } from '../../../src/extension/commands/sweepSpace.ts';
import { firstChoices, withNetwork } from '../../../src/extension/commands/trainingChoices.ts';
import { drawTrials } from '../../../src/ml/sweep/drawTrials.ts';
import { rungsOf } from '../../../src/protocol/halving.ts';
import { type Halving, isSweepSpace, parseSweepSpace, samplers } from '../../../src/protocol/sweep.ts';
import { givenConfigSchema, type TrainingConfigInput } from '../../../src/protocol/trainingConfig.ts';
import { freeSweepName } from '../../../src/runs/name.ts';
import { temporaryFolder } from './storedRun.ts';

const base = { data: '/d', network: { kind: 'architecture', name: 'resnet18' } } as const;
const configs: readonly TrainingConfigInput[] = [
  base,
  { ...base, method: 'full', epochs: 27, learningRate: 'auto', batchSize: 'auto' },
  { ...base, method: 'scratch', learningRate: 900, batchSize: 1, hidden: [] },
  { ...base, batchSize: 4096, hidden: [64, 32] },
];

test('what New Sweep proposes is a space, by every sampler and for every setting', () => {
  for (const given of configs) {
    const config = givenConfigSchema.parse(given);
    const proposals = proposalsFor(config);
    for (const sampler of samplers) {
      for (const varied of [...proposals.map((proposal) => [proposal]), proposals.slice(0, 4)]) {
        const choices = { varied, sampler, trials: 5, halves: config.epochs >= fewestToHalve, parallel: 1 };
        const content = spaceOf(config, config.epochs, choices);
        assert.ok(isSweepSpace(content));
        const space = parseSweepSpace(content);
        assert.deepEqual(
          space.dimensions.map(({ setting }) => setting).sort(),
          varied.map(({ setting }) => setting).sort(),
        );
        const trials = drawTrials(space);
        if (sampler === 'grid') assert.equal(trials.length, gridSize(varied));
        for (const trial of trials) givenConfigSchema.parse({ ...space.fixed, ...trial });
      }
    }
  }
});

test('halving begins with a ninth of the epochs, and looks at the trials twice at most before they end', () => {
  const choices = { varied: proposalsFor(givenConfigSchema.parse(base)).slice(0, 1), trials: 5, parallel: 1 };
  const halvingOf = (epochs: number) =>
    spaceOf(base, epochs, { ...choices, sampler: 'random', halves: true })['halving'] as Halving;
  assert.deepEqual(halvingOf(27), { first: 3, factor: 3 });
  assert.deepEqual(halvingOf(3), { first: 1, factor: 3 });
  assert.deepEqual(rungsOf(halvingOf(30), 30), [4, 12, 30]);
  for (let epochs = fewestToHalve; epochs < 100; epochs++)
    assert.ok(rungsOf(halvingOf(epochs), epochs).length <= 3, `${epochs} epochs`);
});

test('the settings of a training are not a space', () => {
  assert.equal(isSweepSpace(base), false);
  assert.equal(isSweepSpace([]), false);
  assert.equal(isSweepSpace({ ...base, sampler: 'grid', hidden: [[], [8]] }), true);
});

test('a new sweep takes no name that another or a run of one has', async (t) => {
  const out = await temporaryFolder(t);
  assert.equal(freeSweepName(join(out, 'none'), 'heads'), 'heads');
  await mkdir(join(out, 'Heads'));
  await mkdir(join(out, 'heads_2-01'));
  await mkdir(join(out, 'heads_3-early'));
  assert.equal(freeSweepName(out, 'heads'), 'heads_3');
});

test('a sweep begins from the recipe quick, unless another was chosen or the network trains from scratch', () => {
  const machine = givenConfigSchema.parse(base);
  const choices = { ...firstChoices(undefined, { defaultNetwork: 'resnet18', batchSize: 32 }), data: '/d' };
  const settingsOf = (asked: typeof choices) => {
    const { recipe, epochs, optimizer, schedule, labelSmoothing } = baseOf(asked, machine);
    return [recipe, epochs, optimizer, schedule, labelSmoothing];
  };
  const quick = ['quick', 30, 'adamw', 'cosine', 0.1];
  assert.deepEqual(settingsOf(choices), quick);
  const backbone = { kind: 'backbone', file: 'mobilenet.onnx', preprocess: 'tf' } as const;
  assert.deepEqual(settingsOf(withNetwork(choices, backbone)), quick);
  assert.deepEqual(settingsOf({ ...choices, recipe: 'strong' }), ['strong', 40, ...quick.slice(2)]);
  const untrained = { kind: 'architecture', name: 'ConvNet1', pretrained: false, isTransformer: false } as const;
  assert.deepEqual(settingsOf(withNetwork(choices, untrained)), [undefined, 5, 'adam', 'constant', 0]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contradictionIn } from '../../../src/protocol/contradictions.ts';
import { gaveWay, withRecipe } from '../../../src/protocol/recipes.ts';
import { givenConfigSchema, methods, recipeNames } from '../../../src/protocol/trainingConfig.ts';
import { seedLine, summariseSeeds } from '../../../src/ml/cli/seedRuns.ts';
import { trainingConfigFrom } from '../../../src/ml/cli/trainingConfigFrom.ts';

const network = { kind: 'architecture', name: 'resnet18' } as const;

test('every recipe can be meant with every method, and the report’s is the defaults', () => {
  for (const recipe of recipeNames) {
    for (const method of methods) {
      const config = givenConfigSchema.parse(withRecipe({ data: 'd', network, method, recipe, topTensors: method === 'top' ? 3 : undefined })); // prettier-ignore
      assert.equal(config.recipe, recipe);
      assert.equal(contradictionIn(config), undefined, `${recipe} ${method}`);
    }
  }
  const plain = givenConfigSchema.parse({ data: 'd', network });
  assert.deepEqual(givenConfigSchema.parse(withRecipe({ data: 'd', network, recipe: 'report' })), {
    ...plain,
    recipe: 'report',
  });
});

test('a flag overrides the recipe, the recipe the defaults, and the record has both', async () => {
  const config = await trainingConfigFrom('flowers', { recipe: 'strong', epochs: '7' });
  assert.deepEqual(
    { recipe: config.recipe, epochs: config.epochs, hidden: config.hidden, featureViews: config.featureViews },
    { recipe: 'strong', epochs: 7, hidden: [1024], featureViews: 8 },
  );
  const full = await trainingConfigFrom('flowers', { recipe: 'strong', method: 'full' });
  assert.deepEqual([full.mixup, full.augment, full.featureViews], [0.2, 'trivial', undefined]);
  // A record's settings are all given, so its recipe changes nothing of them.
  assert.deepEqual(givenConfigSchema.parse(withRecipe({ ...full, epochs: 3 })), { ...full, epochs: 3 });
  await assert.rejects(trainingConfigFrom('flowers', { recipe: 'best' }), /--recipe/);
});

test('what is given wins over settings of the recipe that contradict it, and the log names those that gave way', async () => {
  const mixed = await trainingConfigFrom('flowers', { recipe: 'strong', mixup: '0.2' });
  assert.deepEqual([mixed.mixup, mixed.featureViews, mixed.augment], [0.2, undefined, 'crop']);
  assert.equal(gaveWay(mixed), 'Of the recipe strong, these settings gave way to what was given: featureViews (8).');
  const plain = await trainingConfigFrom('flowers', { recipe: 'strong', augment: 'none', epochs: '3' });
  assert.deepEqual([plain.featureViews, plain.epochs], [undefined, 3]);
  assert.match(gaveWay(plain) ?? '', /given: augment \(crop\), featureViews \(8\), epochs \(40\)\.$/);
  const kept = await trainingConfigFrom('flowers', { recipe: 'strong', topTensors: '4', featureViews: '3' });
  assert.deepEqual([kept.method, kept.mixup, kept.cutmix, kept.featureViews], ['top', 0, 0, 3]);
  const batch = await trainingConfigFrom('flowers', { recipe: 'strong', batchNorm: 'batch' });
  assert.equal(batch.featureViews, undefined);
  for (const config of [mixed, plain, kept, batch]) assert.equal(contradictionIn(config), undefined);
  // Both are given, so neither gives way.
  const both = await trainingConfigFrom('flowers', { recipe: 'strong', mixup: '0.2', featureViews: '8' });
  assert.match(contradictionIn(both) ?? '', /leave out featureViews/);
  assert.equal(gaveWay(await trainingConfigFrom('flowers', { recipe: 'quick' })), undefined);
  assert.equal(gaveWay(await trainingConfigFrom('flowers', { mixup: '0.2' })), undefined);
});

test('batch size and learning rate can be left to the run, by flags and by recipes', async () => {
  const given = await trainingConfigFrom('flowers', { batchSize: 'auto', lr: 'auto' });
  assert.deepEqual([given.batchSize, given.learningRate], ['auto', 'auto']);
  const quick = await trainingConfigFrom('flowers', { recipe: 'quick', method: 'full' });
  assert.deepEqual([quick.batchSize, quick.learningRate], [32, 'auto']);
  await assert.rejects(trainingConfigFrom('flowers', { batchSize: 'some' }), /--batch-size takes a number or auto/);
  await assert.rejects(
    trainingConfigFrom('flowers', { batchSize: '0' }),
    /--batch-size: expected a whole number from 1 to 4096/,
  );
});

test('several seeds are summed up by their mean and the deviation of the sample', () => {
  const seeds = [0.9, 0.92, 0.94].map((bestAccuracy, seed) => ({ seed, run: `r${seed}`, bestAccuracy }));
  const summary = summariseSeeds(seeds);
  assert.ok(Math.abs(summary.mean - 0.92) < 1e-12 && Math.abs(summary.deviation - 0.02) < 1e-12);
  assert.equal(seedLine(summary), 'Best validation accuracy of 3 seeds: 0.9200 ± 0.0200 (0.900, 0.920, 0.940).');
});

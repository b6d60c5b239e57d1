import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRecipe } from '../../../src/protocol/recipes.ts';
import { contradictionIn, givenConfigSchema, methods, recipeNames } from '../../../src/protocol/trainingConfig.ts';
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
    { recipe: 'strong', epochs: 7, hidden: [], featureViews: 8 },
  );
  const full = await trainingConfigFrom('flowers', { recipe: 'strong', method: 'full' });
  assert.deepEqual([full.mixup, full.augment, full.featureViews], [0.2, 'trivial', undefined]);
  // A record's settings are all given, so its recipe changes nothing of them.
  assert.deepEqual(givenConfigSchema.parse(withRecipe({ ...full, epochs: 3 })), { ...full, epochs: 3 });
  await assert.rejects(trainingConfigFrom('flowers', { recipe: 'best' }), /--recipe/);
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

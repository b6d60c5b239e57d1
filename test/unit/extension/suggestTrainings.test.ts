import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggestionTexts } from '../../../src/extension/commands/networkTexts.ts';
import {
  networksToMeasure,
  type SpeedOf,
  suggestTrainings,
  withSuggestion,
} from '../../../src/extension/commands/suggestTrainings.ts';
import { configFrom, firstChoices } from '../../../src/extension/commands/trainingChoices.ts';
import { duration } from '../../../src/protocol/duration.ts';
import { withRecipe } from '../../../src/protocol/recipes.ts';
import type { DataSize, NetworkOffer } from '../../../src/protocol/serviceProtocol.ts';
import { givenConfigSchema, type RecipeName } from '../../../src/protocol/trainingConfig.ts';

const dino = 'timm/vit_small_patch14_dinov2.lvd142m';
const mobile = 'timm/mobilenetv4_conv_small.e2400_r224_in1k';
const offers = (...here: string[]): NetworkOffer[] =>
  [
    { name: dino, parameters: 21.6e6 },
    { name: mobile, parameters: 3.8e6 },
    { name: 'resnet18', parameters: 11.7e6, top1: 0.698 },
    { name: 'densenet169', parameters: 14.1e6, top1: 0.756 },
  ].map((network) => ({
    ...{ title: network.name, family: 'any', isTransformer: network.name === dino, weightsBytes: 8e7 },
    ...{ ...network, weightsHere: here.includes(network.name) },
  }));
const settingsOf = (recipe: RecipeName) => {
  const network = { kind: 'architecture', name: mobile };
  return givenConfigSchema.parse(withRecipe({ data: '.', network, recipe }));
};
const flowers: DataSize = { train: 6552, valid: 818 };
const suggested = (networks: NetworkOffer[], data?: DataSize, speed: SpeedOf = () => undefined) =>
  suggestTrainings(networks, data, speed).map(({ aim, offer, recipe, seconds }) => [aim, offer.name, recipe, seconds]);

test('DINOv2 is best and MobileNetV4 quick; where no weights are here, both are downloads, and no time is made up', () => {
  assert.deepEqual(suggested(offers()), [
    ['accuracy', dino, 'strong', undefined],
    ['speed', mobile, 'quick', undefined],
  ]);
  assert.deepEqual(networksToMeasure(offers()), [dino, mobile]);
  // A speed alone, or a number of images alone, is no time.
  assert.deepEqual(suggested(offers(), flowers)[0]?.[3], undefined);
  assert.deepEqual(suggested(offers(), undefined, () => 100)[0]?.[3], undefined);
});

test('where other weights are here, the most accurate of them is best without a download, and the smallest is quick', () => {
  assert.deepEqual(suggested(offers('resnet18', 'densenet169')), [
    ['accuracy', dino, 'strong', undefined],
    ['withoutDownload', 'densenet169', 'strong', undefined],
    ['speed', 'resnet18', 'quick', undefined],
  ]);
  assert.deepEqual(suggested(offers('resnet18', dino)).map(([aim, name]) => [aim, name]), [['accuracy', dino], ['speed', 'resnet18']]); // prettier-ignore
  assert.deepEqual(suggested(offers(dino)), [
    ['accuracy', dino, 'strong', undefined],
    ['speed', dino, 'quick', undefined],
  ]);
});

test('the time is that of decoding and of all views by the speeds measured here, and what takes over half an hour is not called best', () => {
  const speedOf =
    (dinov2: number, mobilenet: number): SpeedOf =>
    (name) =>
      name === dino ? dinov2 : mobilenet;
  const each = settingsOf('strong').featureViews ?? 0;
  assert.ok(each > 1);
  const views = (each * flowers.train + flowers.valid) / 100;
  assert.deepEqual(suggested(offers(), flowers, speedOf(100, 500)), [
    ['accuracy', dino, 'strong', views],
    ['speed', mobile, 'quick', (flowers.train + flowers.valid) / 500],
  ]);
  const decoding = (flowers.train + flowers.valid) / 50;
  assert.equal(suggested(offers(), { ...flowers, decodedPerSecond: 50 }, speedOf(100, 500))[0]?.[3], decoding + views);
  const slow = suggested(offers(), flowers, speedOf(10, 50));
  assert.deepEqual(slow[0], ['accuracy', dino, 'quick', (flowers.train + flowers.valid) / 10]);
  const slowest = suggested(offers(), flowers, speedOf(1, 5));
  assert.deepEqual(slowest, [['accuracy', mobile, 'quick', (flowers.train + flowers.valid) / 5]]);
});

test('a suggestion says in words what it is, how long it takes and what it fetches, and becomes a configuration', () => {
  const [best] = suggestTrainings(offers(), flowers, () => 100);
  assert.ok(best);
  assert.deepEqual(suggestionTexts(best, false), {
    label: 'Best Accuracy',
    description: `about ${duration(best.seconds ?? 0)} here · 80 MB to download`,
    detail: `${dino} · head on ${best.views} views of each image`,
  });
  assert.match(suggestionTexts({ ...best, seconds: 20 }, false).description, /^less than a minute here/);
  const [unknown] = suggestTrainings(offers(dino), flowers, () => undefined);
  assert.ok(unknown);
  assert.equal(suggestionTexts(unknown, true).description, 'measuring the time here');
  assert.equal(suggestionTexts(unknown, false).description, 'time not measured yet');
  const first = { ...firstChoices(undefined, { defaultNetwork: 'resnet18', batchSize: 16 }), data: '/d', epochs: 3 };
  const machine = { engine: 'auto', device: 'auto', cacheMegabytes: 512 } as const;
  const config = configFrom(withSuggestion(first, best), machine);
  const { featureViews, epochs, hidden } = settingsOf('strong');
  assert.deepEqual(
    [config.recipe, config.method, config.featureViews, config.epochs, config.hidden, config.batchSize],
    ['strong', 'head', featureViews, epochs, hidden, 16],
  );
  assert.equal(best.views, featureViews);
});

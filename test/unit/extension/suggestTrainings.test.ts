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
/** A head that takes no time, unless it is said how fast it is. */
const speed = (imagesPerSecond: number, headPerSecond = Infinity) => ({ imagesPerSecond, headPerSecond });
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
  assert.deepEqual(suggested(offers(), undefined, () => speed(100))[0]?.[3], undefined);
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

test('the time is that of all views, of decoding and of the head by the speeds measured here, and what takes over half an hour is not called best', () => {
  const speedOf =
    (dinov2: number, mobilenet: number, head?: number): SpeedOf =>
    (name) =>
      speed(name === dino ? dinov2 : mobilenet, head);
  const secondsOf = (at: number, speeds: SpeedOf, data = flowers) => Number(suggested(offers(), data, speeds)[at]?.[3]);
  const isNear = (found: number, expected: number) => assert.ok(Math.abs(found / expected - 1) < 1e-9, `${found} ${expected}`); // prettier-ignore
  const [images, both] = [flowers.train + flowers.valid, suggested(offers(), flowers, speedOf(100, 500))];
  assert.deepEqual(
    both.map((found) => found.slice(0, 3)),
    [
      ['accuracy', dino, 'strong'],
      ['speed', mobile, 'quick'],
    ],
  );
  const { featureViews: views = 0, epochs } = settingsOf('strong');
  assert.ok(views > 1);
  // Twice as fast, a network takes half of the time of its passes less, whatever else there is.
  const passes = (views * flowers.train + flowers.valid) / 100;
  isNear(secondsOf(0, speedOf(100, 500)) - secondsOf(0, speedOf(200, 500)), passes / 2);
  isNear(secondsOf(1, speedOf(100, 500)) - secondsOf(1, speedOf(100, 1000)), images / 1000);
  isNear(
    secondsOf(0, speedOf(100, 500), { ...flowers, decodedPerSecond: 50 }) - secondsOf(0, speedOf(100, 500)),
    images / 50,
  );
  // Every epoch of 205 steps the head trains on each image and is validated six times, at a third of the time an image.
  const ofHead = (epochs * flowers.train + (6 * epochs * flowers.valid) / 3) / 1000;
  isNear(secondsOf(0, speedOf(100, 500, 1000)) - secondsOf(0, speedOf(100, 500)), ofHead);
  const slow = suggested(offers(), flowers, speedOf(10, 50));
  assert.deepEqual(slow[0]?.slice(0, 3), ['accuracy', dino, 'quick']);
  const slowest = suggested(offers(), flowers, speedOf(1, 5));
  assert.deepEqual(
    slowest.map((found) => found.slice(0, 3)),
    [['accuracy', mobile, 'quick']],
  );
});

test('a suggestion says in words what it is, how long it takes and what it fetches, and becomes a configuration', () => {
  const [best] = suggestTrainings(offers(), flowers, () => speed(100));
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
  const settings = { defaultNetwork: 'resnet18', batchSize: 16 };
  const asBefore = { data: '/d', epochs: 3, batchSize: 4, balanced: true, int8: true };
  const first = { ...firstChoices(undefined, settings), ...asBefore };
  const machine = { engine: 'auto', device: 'auto', cacheMegabytes: 512 } as const;
  const config = configFrom(withSuggestion(first, best, settings), machine);
  const { featureViews, epochs, hidden } = settingsOf('strong');
  assert.deepEqual(
    [config.recipe, config.method, config.featureViews, config.epochs, config.hidden, config.batchSize],
    ['strong', 'head', featureViews, epochs, hidden, 16],
  );
  assert.deepEqual([config.classWeights, config.frozenPrecision], ['none', 'float32']);
  assert.equal(best.views, featureViews);
});

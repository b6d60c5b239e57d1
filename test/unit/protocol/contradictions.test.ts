import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contradictionIn } from '../../../src/protocol/contradictions.ts';
import { givenConfigSchema } from '../../../src/protocol/trainingConfig.ts';

const network = { kind: 'architecture', name: 'resnet18' } as const;
const saidOf = (settings: object) => contradictionIn(givenConfigSchema.parse({ data: 'd', network, ...settings }));

test('a setting that does nothing beside the others is refused, with the one that it needs', () => {
  const needless: readonly (readonly [settings: object, sentence: RegExp])[] = [
    [{ randOps: 3 }, /^randOps \(--rand-ops\) .* augmentation rand, not with report: .* --augment rand\.$/],
    [{ augment: 'trivial', randMagnitude: 5 }, /^randMagnitude \(--rand-magnitude\) .* not with trivial/],
    [{ momentum: 0.5 }, /^momentum \(--momentum\) .* optimizer sgd, not with adam/],
    [{ stepEpochs: 3 }, /^stepEpochs \(--step-epochs\) .* schedule step, not with constant/],
    [{ schedule: 'cosine', stepFactor: 0.5 }, /^stepFactor \(--step-factor\) .* schedule step, not with cosine/],
    [{ loraRank: 4 }, /^loraRank \(--lora-rank\) .* method lora, not with head/],
    [{ loraAlpha: 4, method: 'full' }, /^loraAlpha \(--lora-alpha\) .* method lora, not with full/],
    [{ featureViews: 2, augment: 'none' }, /^featureViews 2 .* all are the same/],
    [{ featureViews: 2, batchNorm: 'batch' }, /^featureViews .* changes with every batch/],
    [{ mixup: 0.2, batchSize: 1 }, /^mixup and cutmix .* a batchSize of 1/],
    [{ method: 'full', startSize: 96, epochs: 1 }, /^startSize .* there is only one/],
    [{ method: 'scratch', network: { ...network, weights: '/w.pth' } }, /^weights .* random ones/],
    [
      { method: 'full', network: { kind: 'backbone', file: '/m.onnx' } },
      /^An ONNX backbone is frozen, .* method full .*--method head\.$/,
    ],
  ];
  for (const [settings, sentence] of needless) assert.match(saidOf(settings) ?? '', sentence);
});

test('the same settings beside those that they need are meant, and so are defaults everywhere', () => {
  const meant = [
    {},
    { augment: 'rand', randOps: 3, randMagnitude: 5 },
    { optimizer: 'sgd', momentum: 0.5 },
    { schedule: 'step', stepEpochs: 3, stepFactor: 0.5 },
    { method: 'lora', loraRank: 4, loraAlpha: 8 },
    { featureViews: 1, augment: 'none' },
    { featureViews: 2, augment: 'none', verticalFlip: true },
    { randOps: 2, randMagnitude: 9, momentum: 0.9, stepEpochs: 2, stepFactor: 0.1, minLearningRate: 0 },
  ];
  for (const settings of meant) assert.equal(saidOf(settings), undefined, JSON.stringify(settings));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contradictionIn, newContradiction } from '../../../src/protocol/contradictions.ts';
import { imageSizesOf, trainingConfigSchema, type UsualSizes } from '../../../src/protocol/trainingConfig.ts';
import { resumeChanges, withPixels } from '../../../src/ml/training/run/resumeChanges.ts';
import { fixedSettings, learnedSettings, onResume, withMeanings } from '../../../src/ml/training/run/resumeSettings.ts';
import { namedNetwork, pixelsOf } from '../../../src/ml/networks/registry.ts';
import { preprocessingOf, runNetwork } from '../../../src/ml/training/run/runNetwork.ts';
import { tinyConfig } from './tinyDataset.ts';

const place = { step: 100, stepsPerEpoch: 10 };

test('more epochs under a cosine make the learning rate jump, which is said with both rates', () => {
  const before = tinyConfig('data', { epochs: 10, schedule: 'cosine', learningRate: 0.001 });
  // Loshchilov and Hutter's cosine: 0.001 (1 + cos(99/100 π)) / 2, then 0.001 (1 + cos(100/200 π)) / 2.
  const said = resumeChanges(before, { ...before, epochs: 20 }, place);
  assert.match(said ?? '', /epochs 10 → 20; the learning rate was 2\.5e-7 and continues at 0\.00050\.$/);
  assert.equal(resumeChanges(before, before, place), undefined);
});

test('more epochs at a constant rate are said without a jump, and another rate with one', () => {
  const before = tinyConfig('data', { epochs: 10, learningRate: 0.001 });
  assert.match(resumeChanges(before, { ...before, epochs: 20 }, place) ?? '', /: epochs 10 → 20\.$/);
  const slower = resumeChanges(before, { ...before, learningRate: 0.0001, clipNorm: 1 }, place) ?? '';
  assert.match(
    slower,
    /learningRate 0\.001 → 0\.0001, clipNorm its default → 1; .* was 0\.0010 and continues at 0\.00010/,
  );
});

test('each setting is one that a resume keeps, one that it may change and says, or one that changes nothing of what is learned', () => {
  assert.deepEqual(Object.keys(onResume).toSorted(), Object.keys(trainingConfigSchema.shape).toSorted());
  const free = Object.entries(onResume).flatMap(([setting, use]) => (use === 'free' ? [setting] : []));
  const all = [...fixedSettings, ...learnedSettings, ...free];
  assert.deepEqual(all.toSorted(), Object.keys(trainingConfigSchema.shape).toSorted());
});

test('a setting that is left out is the same as what that means, written out', () => {
  const adapted = tinyConfig('data', { method: 'lora' });
  const frozen = tinyConfig('data', { method: 'head' });
  const pairs = [
    [adapted, { ...adapted, loraRank: 8 }],
    [
      { ...adapted, loraRank: 4 },
      { ...adapted, loraRank: 4, loraAlpha: 4 },
    ],
    [adapted, { ...adapted, batchNorm: 'running' }],
    [tinyConfig('data', { method: 'full' }), tinyConfig('data', { method: 'full', batchNorm: 'batch' })],
    [frozen, { ...frozen, earlyStop: 0 }],
  ] as const;
  for (const [without, written] of pairs) {
    assert.deepEqual(withMeanings(without), withMeanings(written));
    assert.equal(resumeChanges(without, written, place), undefined);
  }
  assert.notDeepEqual(withMeanings(adapted), withMeanings({ ...adapted, loraRank: 4 }));
  assert.notDeepEqual(withMeanings(frozen), withMeanings({ ...frozen, batchNorm: 'batch' }));
});

test('a run does not go on with settings that contradict each other, unless it began with them', () => {
  const before = tinyConfig('data', { sampling: 'balanced' });
  assert.equal(newContradiction(before, before), undefined);
  const both = { ...before, classWeights: 'balanced' } as const;
  assert.match(newContradiction(both, before) ?? '', /count small classes twice/);
  assert.equal(newContradiction(both, both), undefined);
  assert.match(
    newContradiction({ ...both, minLearningRate: 1e-5 }, both) ?? '',
    /only be used with the schedule cosine/,
  );
});

test('how images are prepared is compared as it is: what a resume does not name stays, and is not said to change', () => {
  const { images } = namedNetwork('ConvNet1');
  const padded = tinyConfig('data', { imageSize: 96, resize: undefined, fit: 'pad', interpolation: 'lanczos' });
  const pixels = preprocessingOf(padded, images);
  const said = (now: typeof padded) =>
    resumeChanges(
      withPixels(padded, pixels),
      withPixels(now, preprocessingOf(now, { ...images, ...pixelsOf(pixels) })),
      place,
    );
  assert.equal(said({ ...padded, fit: undefined, interpolation: undefined }), undefined);
  assert.match(said({ ...padded, fit: 'crop' }) ?? '', /: resize 96 → 255, fit pad → crop\.$/);
});

test('the short side follows a larger image size, and one that is too small is refused before training', () => {
  const shortSide = (imageSize: number | undefined, usual: UsualSizes) =>
    imageSizesOf(tinyConfig('data', { imageSize, resize: undefined }), usual).resize;
  assert.deepEqual(
    [32, 224, 225, 300].map((imageSize) => shortSide(imageSize, { crop: 224, resize: 232 })),
    [255, 255, 256, 342],
  );
  // Those of a network that was trained on larger images are taken as its weights were trained.
  const large = { crop: 384, resize: 384 };
  assert.deepEqual([shortSide(384, large), shortSide(undefined, large), shortSide(224, large)], [384, 384, 255]);
  const small = tinyConfig('data', { imageSize: 300, resize: 255 });
  assert.throws(() => runNetwork(small, namedNetwork('ConvNet1'), 2), {
    name: 'UserError',
    message: /`resize` 255 .* too small for `imageSize` 300/,
  });
  assert.equal(
    runNetwork(tinyConfig('data', { imageSize: 300, resize: 300 }), namedNetwork('ConvNet1'), 2).preprocessing.resize,
    300,
  );
});

test('shares that leave nothing to train on, and a count of tensors that the method ignores, are contradictions', () => {
  const config = trainingConfigSchema.parse({ data: 'd', network: { kind: 'architecture', name: 'resnet18' } });
  assert.equal(contradictionIn(config), undefined);
  assert.match(
    contradictionIn({ ...config, validShare: 0.6, testShare: 0.4 }) ?? '',
    /leave nothing to train on: lower/,
  );
  assert.match(
    contradictionIn({ ...config, method: 'scratch', topTensors: 3 }) ?? '',
    /can only be used with the method top, not with scratch/,
  );
  assert.equal(contradictionIn({ ...config, method: 'top', topTensors: 3 }), undefined);
  assert.match(contradictionIn({ ...config, fit: 'pad', resize: 300 }) ?? '', /only be used with the fit crop/);
  assert.equal(contradictionIn({ ...config, fit: 'crop', resize: 300 }), undefined);
  assert.match(contradictionIn({ ...config, minLearningRate: 1e-5 }) ?? '', /only be used with the schedule cosine/);
  assert.match(
    contradictionIn({ ...config, schedule: 'cosine', minLearningRate: 1 }) ?? '',
    /minLearningRate 1 .* above learningRate 0.001/,
  );
  assert.match(
    contradictionIn({ ...config, sampling: 'balanced', classWeights: 'balanced' }) ?? '',
    /count small classes twice/,
  );
  for (const mixing of ['mixup', 'cutmix'] as const) {
    assert.match(contradictionIn({ ...config, featureViews: 3, [mixing]: 0.2 }) ?? '', /nothing can be kept of them/);
    assert.equal(contradictionIn({ ...config, [mixing]: 0.2 }), undefined);
  }
});

test('a whole image is resized to the very square that the network sees, by the filter that is asked for', () => {
  const { preprocessing } = runNetwork(tinyConfig('data', { imageSize: 96, resize: undefined, fit: 'pad', interpolation: 'lanczos' }), namedNetwork('ConvNet1'), 2); // prettier-ignore
  const { resize, crop, fit, interpolation } = preprocessing;
  assert.deepEqual(
    { resize, crop, fit, interpolation },
    { resize: 96, crop: 96, fit: 'pad', interpolation: 'lanczos' },
  );
  assert.ok(!('fit' in runNetwork(tinyConfig('data'), namedNetwork('ConvNet1'), 2).preprocessing));
});

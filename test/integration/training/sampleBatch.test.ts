import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { imagesInput } from '../../../src/ml/networks/network.ts';
import { lossTargets } from '../../../src/ml/operators/loss/lossTargets.ts';
import type { ReadyBatch } from '../../../src/ml/training/features/readyBatches.ts';
import { dryRun } from '../../../src/ml/training/run/dryRun.ts';
import { sampleBatch, type SampledBatch } from '../../../src/ml/training/run/sampleBatch.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import type { TrainingConfig } from '../../../src/protocol/trainingConfig.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../../unit/training/tinyDataset.ts';

const chooseEngine = () => Promise.resolve({ engine: onnxEngine, device: 'cpu', fallbacks: [] });
const { signal } = new AbortController();
const classes = 3;
/** All images of these data decode. */
const unheard = (sentence: string) => assert.equal(sentence, '');

/** What the loop of a run gets at a place. */
async function fedAt(config: TrainingConfig, epoch: number, batch: number): Promise<ReadyBatch> {
  let fed: ReadyBatch | undefined;
  await dryRun(
    config,
    async ({ batches, start }) => {
      for await (const each of batches(epoch, batch)) {
        fed = each;
        break;
      }
      return { state: 'finished', reason: 'One batch was looked at.', position: { ...start } };
    },
    { chooseEngine },
  );
  return fed ?? assert.fail('the run fed nothing');
}

/** The loss targets that the shown classes and weights mean: the mean over the images of what is shown. */
function shownTargets({ images }: SampledBatch): number[] {
  return images.flatMap((image) =>
    Array.from({ length: classes }, (_, index) => {
      const own = image.classes.find(({ label }) => label.index === index);
      return (own?.weight ?? 0) / images.length;
    }),
  );
}

const augmented = { augment: 'rand', randMagnitude: 9, erase: 0.5, verticalFlip: true } as const;
const cases = {
  'crops and flips': {},
  'what RandAugment and erasing make of them': augmented,
  'blended neighbors': { ...augmented, mixup: 0.4 },
  'pasted neighbors': { cutmix: 1 },
  'either of both': { mixup: 0.4, cutmix: 1, sampling: 'balanced' },
} as const;

for (const [what, settings] of Object.entries(cases)) {
  test(`the shown samples are to the bit what the training loop feeds: ${what}`, async (t) => {
    const config = tinyConfig(await drawTinyDataset(await temporaryFolder(t)), settings);
    const first = [0, 0] as const;
    const later = [1, 2] as const;
    // What is drawn alike is drawn alike at the first place too.
    for (const [epoch, batch] of Object.keys(settings).length === 0 ? [first, later] : [later]) {
      const shown = await sampleBatch(config, { epoch, batch, signal, log: unheard });
      const fed = await fedAt(config, epoch, batch);
      const pixels = fed.feeds.get(imagesInput);
      assert.deepEqual(
        Buffer.concat(shown.images.map((image) => image.pixels)),
        Buffer.from(pixels?.data as Uint8Array),
      );
      const targets = lossTargets(fed.labels, { classes, labelSmoothing: 0 }, fed.ownShare);
      assert.deepEqual(Float32Array.from(shownTargets(shown)), targets.data);
      assert.equal(shown.mix !== undefined, 'mixup' in settings || 'cutmix' in settings);
      assert.equal(
        shown.images.every(({ mixedWith }) => (mixedWith === undefined) === (shown.mix === undefined)),
        true,
      );
    }
  });
}

test('a batch or an epoch that a run has not is refused', async (t) => {
  const config = tinyConfig(await drawTinyDataset(await temporaryFolder(t)));
  for (const place of [
    { epoch: 0, batch: 5 },
    { epoch: 2, batch: 0 },
  ]) {
    await assert.rejects(
      sampleBatch(config, { ...place, signal, log: unheard }),
      (error) => error instanceof UserError && error.kind === 'usage',
    );
  }
});

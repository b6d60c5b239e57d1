import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { calibrateConfidence, removeCalibration } from '../../../src/ml/inference/calibrateConfidence.ts';
import type { Classifier } from '../../../src/ml/inference/classifier.ts';
import { type PredictOptions, predictImages } from '../../../src/ml/inference/predictImages.ts';
import { testClassifier } from '../../../src/ml/inference/testClassifier.ts';
import { calibration } from '../../../src/protocol/calibration.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import type { ImagePrediction } from '../../../src/protocol/prediction.ts';
import { readCheckpointMetadata } from '../../../src/runs/checkpointHeader.ts';
import { readEvaluations, timeWritten } from '../../../src/runs/evaluations.ts';
import { writeRandomCheckpoint } from './checkpointFixture.ts';
import { colourClassifier } from './fakeClassifier.ts';

const silent = { onNote: () => undefined };
let folder = '';
let data = '';
let checkpoint = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fivecrop-calibrate-'));
  data = join(folder, 'data');
  // Mostly of the colour of their class, brighter in one half, so that crops differ; every fourth is of another colour.
  for (const split of ['train', 'valid', 'test']) {
    for (const [place, name] of ['1', '10', '100'].entries()) {
      await mkdir(join(data, split, name), { recursive: true });
      for (let image = 0; image < 4; image++) {
        const bright = (place + Number(image === 3)) % 3;
        const pixels = Uint8Array.from({ length: 48 * 40 * 3 }, (_, at) => {
          const [channel, left] = [at % 3, Math.floor(at / 3) % 48 < 20];
          return channel === bright ? (image === 3 ? 90 : 120 + 30 * image) : left ? 60 + 20 * channel : 50;
        });
        const file = join(data, split, name, `${image}.png`);
        await sharp(pixels, { raw: { width: 48, height: 40, channels: 3 } }).png().toFile(file); // prettier-ignore
      }
    }
  }
});
after(() => rm(folder, { recursive: true }));

async function newCheckpoint(): Promise<string> {
  await mkdir(join(folder, 'checkpoints'), { recursive: true });
  return writeRandomCheckpoint(join(folder, 'checkpoints'), { kind: 'architecture', name: 'ConvNet1' });
}

/** Classifies by colour, with what the checkpoint keeps. */
async function load(): Promise<Classifier> {
  return { ...colourClassifier(), calibration: (await readCheckpointMetadata(checkpoint)).calibration };
}

async function predictions(options: PredictOptions): Promise<ImagePrediction[]> {
  const images = [join(data, 'valid', '1', '0.png'), join(data, 'valid', '10', '3.png')];
  const found: ImagePrediction[] = [];
  for await (const prediction of predictImages(await load(), images, options)) {
    assert.ok(!('error' in prediction));
    found.push(prediction);
  }
  return found;
}

async function tested(cropCount: 1 | 5) {
  const about = { checkpoint, data, split: 'valid', cropCount } as const;
  return (await testClassifier(await load(), about, silent)).evaluation;
}

test('a temperature is fitted for one crop and for five, kept with the checkpoint, and used by every test', async () => {
  checkpoint = await newCheckpoint();
  const before = [await tested(1), await tested(5)];
  const { calibration: kept, fitted } = await calibrateConfidence(load, { checkpoint, data }, silent);
  assert.deepEqual((await readCheckpointMetadata(checkpoint)).calibration, kept);
  assert.equal(kept.images, 12);
  for (const [place, cropCount] of ([1, 5] as const).entries()) {
    const [plain, scaled, fit] = [before[place], await tested(cropCount), fitted[place]];
    assert.ok(plain && fit);
    assert.equal(plain.temperature, undefined);
    assert.deepEqual(scaled.temperature, { value: fit.temperature, images: 12 });
    assert.deepEqual(scaled.temperature.value, kept.temperature[cropCount]);
    assert.equal(fit.before.loss, plain.loss);
    assert.equal(fit.after.loss, scaled.loss);
    assert.equal(fit.after.expectedError, calibration(scaled.results).expectedError);
    assert.ok(scaled.loss < plain.loss);
    assert.deepEqual(
      scaled.results.map(({ predicted }) => predicted),
      plain.results.map(({ predicted }) => predicted),
    );
    assert.notDeepEqual(
      scaled.results.map(({ probability }) => probability),
      plain.results.map(({ probability }) => probability),
    );
  }
});

test('a checkpoint counts as written anew when its temperature changes, so that results from before are not taken for its own', async () => {
  checkpoint = await newCheckpoint();
  const before = await tested(1);
  await calibrateConfidence(load, { checkpoint, data }, silent);
  const written = (await timeWritten(checkpoint)) ?? '';
  assert.ok(before.time < written);
  const [newest] = await readEvaluations(checkpoint, (reason) => assert.fail(reason));
  assert.equal(newest?.time, before.time);
});

test('a calibration that is removed leaves nothing behind', async () => {
  checkpoint = await newCheckpoint();
  const before = await tested(1);
  await calibrateConfidence(load, { checkpoint, data, targetError: 0.2 }, silent);
  await removeCalibration(checkpoint);
  assert.equal((await readCheckpointMetadata(checkpoint)).calibration, undefined);
  assert.deepEqual((await tested(1)).results, before.results);
});

test('predictions use the temperature of their crops and keep their order; below the kept threshold they are rejected', async () => {
  checkpoint = await newCheckpoint();
  const options = { cropCount: 5, topK: 3 } as const;
  const plain = await predictions(options);
  const request = { checkpoint, data, targetError: 0.2 };
  const { calibration: kept, fitted } = await calibrateConfidence(load, request, silent);
  const threshold = kept.rejection?.threshold[5] ?? NaN;
  assert.equal(fitted[1]?.accepted?.threshold, threshold);
  const scaled = await predictions({ ...options, reject: true });
  assert.deepEqual(scaled.map(({ rejected }) => rejected), scaled.map(({ mean }) => (mean[0]?.probability ?? 0) < threshold)); // prettier-ignore
  for (const [at, prediction] of scaled.entries()) {
    const former = plain[at];
    assert.ok(former);
    assert.equal(former.rejected, undefined);
    const logits = former.mean.map(({ probability }) => Math.log(probability) / (kept.temperature[5] ?? NaN));
    const sum = logits.reduce((all, value) => all + Math.exp(value), 0);
    prediction.mean.forEach(({ index, probability }, rank) => {
      assert.equal(index, former.mean[rank]?.index);
      assert.ok(Math.abs(probability - Math.exp(logits[rank] ?? NaN) / sum) < 1e-6);
    });
    const [crop, formerCrop] = [prediction.crops[2]?.top[0], former.crops[2]?.top[0]];
    assert.equal(crop?.index, formerCrop?.index);
    assert.notEqual(crop?.probability, formerCrop?.probability);
    assert.deepEqual(prediction.temperature, { value: kept.temperature[5], images: 12 });
  }
});

test('a threshold that is kept is chosen again for its error when a temperature is fitted again', async () => {
  checkpoint = await newCheckpoint();
  const { calibration: first } = await calibrateConfidence(load, { checkpoint, data, targetError: 0.2 }, silent);
  assert.equal(first.rejection?.targetError, 0.2);
  const { calibration: again } = await calibrateConfidence(load, { checkpoint, data }, silent);
  assert.deepEqual(again, first);
  const { calibration: other } = await calibrateConfidence(load, { checkpoint, data, targetError: 0.5 }, silent);
  assert.equal(other.rejection?.targetError, 0.5);
});

test('without a kept threshold nothing can be rejected by it', async () => {
  checkpoint = await newCheckpoint();
  await assert.rejects(
    predictions({ cropCount: 1, topK: 1, reject: true }),
    /has no confidence threshold for one crop/u,
  );
});

test('a checkpoint that is replaced while its temperature is fitted is left as it is', async () => {
  checkpoint = await newCheckpoint();
  const replacing = async () => {
    const classifier = await load();
    const network = { kind: 'architecture', name: 'ConvNet1' } as const;
    await writeRandomCheckpoint(join(folder, 'checkpoints'), network, { created: '2026-01-01T00:00:00.000Z' });
    return classifier;
  };
  await assert.rejects(calibrateConfidence(replacing, { checkpoint, data }, silent), (error: unknown) => {
    return error instanceof UserError && error.message.includes('was replaced while');
  });
  const found = await readCheckpointMetadata(checkpoint);
  assert.deepEqual([found.created, found.calibration], ['2026-01-01T00:00:00.000Z', undefined]);
});

test('a folder that has no validation images is refused', async () => {
  checkpoint = await newCheckpoint();
  const flat = join(folder, 'flat', '1');
  await mkdir(flat, { recursive: true });
  await writeFile(join(flat, 'a.png'), 'no image');
  const { mtimeMs } = await stat(checkpoint);
  const request = { checkpoint, data: join(folder, 'flat') };
  await assert.rejects(calibrateConfidence(load, request, silent), UserError);
  assert.equal((await stat(checkpoint)).mtimeMs, mtimeMs);
});

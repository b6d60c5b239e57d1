import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { inPrecision } from '../../src/ml/engine/inPrecision.ts';
import { calibrateInt8 } from '../../src/ml/inference/calibrateInt8.ts';
import { findImages } from '../../src/ml/inference/findImages.ts';
import { loadClassifier } from '../../src/ml/inference/loadClassifier.ts';
import { predictImages } from '../../src/ml/inference/predictImages.ts';
import { report } from './report.ts';

/*
 * Five-crop prediction with a warm ResNet-101. Arguments: weights, a large photo, its repeats, a folder of images, and
 * what is computed in. The time until 8 bits are used counts as it does for 500 images.
 */
const [weights = '', photo = '', repeats = '3', folder = '', precision = 'float32'] = process.argv.slice(2);
const isInt8 = precision === 'int8';
const engine = inPrecision(onnxEngine, isInt8 ? 'int8' : 'float32', console.error);
const placement = { engine, device: 'cpu' };
const classifier = await loadClassifier({ kind: 'architecture', name: 'resnet101', weights }, placement);

async function secondsFor(images: readonly string[]): Promise<number> {
  const start = performance.now();
  for await (const prediction of predictImages(classifier, images, { cropCount: 5, topK: 5 })) {
    if ('error' in prediction) throw new Error(prediction.error);
  }
  return (performance.now() - start) / 1000;
}

/** Finds the ranges of 8 bits, and compiles what runs in them with the first image. Seconds. */
async function prepareInt8(images: readonly string[]): Promise<number> {
  const start = performance.now();
  await calibrateInt8(classifier, images);
  await secondsFor(images.slice(0, 1));
  return (performance.now() - start) / 1000;
}

const imagesOfRun = 500;
const images = await findImages([folder]);
const preparation = isInt8 ? await prepareInt8(images) : 0;
await secondsFor([photo]);
const seconds = [];
for (let run = 0; run < Number(repeats); run++) seconds.push(await secondsFor([photo]));
const many = imagesOfRun / (preparation + (imagesOfRun / images.length) * (await secondsFor(images)));
await classifier.dispose();
report({ photo: Math.min(...seconds), many });

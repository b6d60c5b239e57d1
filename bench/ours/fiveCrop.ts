import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { findImages } from '../../src/ml/inference/findImages.ts';
import { loadClassifier } from '../../src/ml/inference/loadClassifier.ts';
import { predictImages } from '../../src/ml/inference/predictImages.ts';
import { report } from './report.ts';

/* Five-crop prediction with a warm ResNet-101. Arguments: weights, a large photo, its repeats, a folder of images. */
const [weights = '', photo = '', repeats = '3', folder = ''] = process.argv.slice(2);
const placement = { engine: onnxEngine, device: 'cpu' };
const classifier = await loadClassifier({ kind: 'architecture', name: 'resnet101', weights }, placement);

async function secondsFor(images: readonly string[]): Promise<number> {
  const start = performance.now();
  for await (const prediction of predictImages(classifier, images, { cropCount: 5, topK: 5 })) {
    if ('error' in prediction) throw new Error(prediction.error);
  }
  return (performance.now() - start) / 1000;
}

await secondsFor([photo]);
const seconds = [];
for (let run = 0; run < Number(repeats); run++) seconds.push(await secondsFor([photo]));
const images = await findImages([folder]);
const many = images.length / (await secondsFor(images));
await classifier.dispose();
report({ photo: Math.min(...seconds), many });

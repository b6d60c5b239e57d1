import { readFile } from 'node:fs/promises';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { findImages } from '../../src/ml/inference/findImages.ts';
import { loadClassifier } from '../../src/ml/inference/loadClassifier.ts';
import { predictImages } from '../../src/ml/inference/predictImages.ts';
import { startServed } from '../servedCommand.ts';
import { report } from './report.ts';

/*
 * Five-crop prediction of the images of a folder with a warm network: by `predictImages`, or by a server that clients of
 * this process ask for one image each. Arguments: which of both, network, weights, folder, clients.
 */
const [how = 'serve', name = '', weights = '', folder = '', clients = '16'] = process.argv.slice(2);
const images = await findImages([folder]);
report({ many: images.length / (how === 'serve' ? await servedSeconds() : await predictedSeconds()) });

async function predictedSeconds(): Promise<number> {
  const classifier = await loadClassifier(
    { kind: 'architecture', name, weights },
    { engine: onnxEngine, device: 'cpu' },
  );
  const secondsFor = async (some: readonly string[]) => {
    const start = performance.now();
    for await (const prediction of predictImages(classifier, some, { cropCount: 5, topK: 5 })) {
      if ('error' in prediction) throw new Error(prediction.error);
    }
    return (performance.now() - start) / 1000;
  };
  await secondsFor(images.slice(0, 4));
  const seconds = await secondsFor(images);
  await classifier.dispose();
  return seconds;
}

async function servedSeconds(): Promise<number> {
  const server = await startServed(['--arch', name, '--weights', weights, '--engine', 'onnx', '--device', 'cpu']);
  const headers = { 'Content-Type': 'image/jpeg' };
  const secondsFor = async (some: readonly string[]) => {
    const left = [...some];
    const start = performance.now();
    const client = async () => {
      for (let image = left.shift(); image !== undefined; image = left.shift()) {
        const body = new Uint8Array(await readFile(image));
        const response = await fetch(`${server.address}/classify`, { method: 'POST', headers, body });
        const text = await response.text();
        if (!response.ok || !text.startsWith('{"images":[{"image":"image","width"')) throw new Error(text);
      }
    };
    await Promise.all(Array.from({ length: Number(clients) }, client));
    return (performance.now() - start) / 1000;
  };
  await secondsFor(images.slice(0, 4));
  const seconds = await secondsFor(images);
  await server.stop();
  return seconds;
}

/*
 * What 8 bits change in one network of each family: `node --import tsx bench/eightBits.ts [NETWORK…]`. Weights are random, so
 * accuracy cannot be measured. Random networks give all images nearly the same logits, so each class's mean over the
 * images is taken off: what is left tells the images apart, as a trained classifier would, and the class that it names
 * should be the same in 8 bits. Prints a line as soon as a network is done.
 */
import { join } from 'node:path';
import process from 'node:process';
import { createImageSource } from '../src/ml/data/imageSource.ts';
import { createLoader } from '../src/ml/data/loader.ts';
import { evenlySpaced } from '../src/ml/data/evenlySpaced.ts';
import { scanDataset } from '../src/ml/data/scanDataset.ts';
import type { Engine } from '../src/ml/engine/engine.ts';
import { inPrecision } from '../src/ml/engine/inPrecision.ts';
import { onnxEngine } from '../src/ml/engine/onnxruntime/onnxEngine.ts';
import type { Tensor } from '../src/ml/graph/tensor.ts';
import { initialise } from '../src/ml/networks/initialise.ts';
import { imagesInput } from '../src/ml/networks/network.ts';
import { type NamedNetwork, namedNetwork } from '../src/ml/networks/registry.ts';
import { stateShapes } from '../src/ml/networks/stateShapes.ts';

const shared = join(import.meta.dirname, '../../shared/data');
const size = 224;
const head = { hidden: [], dropout: 0, classes: 1000 };
/** Images by which ranges are found, one batch, and those that are compared. */
const [shown, compared] = [16, 96];
const ofEachFamily = [
  ...['resnet18', 'densenet121', 'mobilenet_v2', 'mobilenet_v3_small', 'timm/mobilenetv4_conv_small.e2400_r224_in1k'],
  ...['efficientnet_b0', 'timm/tf_efficientnetv2_b0.in1k', 'regnet_y_400mf', 'convnext_tiny', 'vit_b_32', 'swin_t'],
  ...[
    'swin_v2_t',
    'maxvit_t',
    'timm/vit_small_patch16_224.augreg_in21k_ft_in1k',
    'timm/vit_small_patch16_dinov3.lvd1689m',
  ],
  ...['timm/convnextv2_atto.fcmae_ft_in1k', 'shufflenet_v2_x0_5', 'mnasnet0_5', 'squeezenet1_1', 'inception_v3'],
  ...['googlenet', 'vgg11', 'alexnet', 'ConvNet2'],
];

/** Batches of the images, their memory their own. */
async function batchesOf(split: 'valid' | 'test', count: number): Promise<Tensor[]> {
  const { splits } = await scanDataset(join(shared, 'flowers'), { validShare: 0, testShare: 0, seed: 0 });
  const source = createImageSource({ cacheBytes: 0, once: true });
  const loader = createLoader(evenlySpaced(splits[split], count), source, {
    ...{
      batchSize: shown,
      resize: 255,
      crop: size,
      augment: 'none',
      seed: 0,
      shuffle: false,
      replaceUndecodable: false,
    },
  });
  const batches: Tensor[] = [];
  for await (const { images } of loader.epoch(0)) batches.push({ ...images, data: images.data.slice() });
  await source.dispose();
  return batches;
}

/** Outputs of the compared images, one after another. */
async function outputsOf(network: NamedNetwork, engine: Engine, ranges: readonly Tensor[], batches: readonly Tensor[]) {
  const graphFor = (batchSize: number) => network.graph(head, { batchSize, size, pixels: network.preprocessing });
  const state = initialise(stateShapes(graphFor(1)), network.initialise, 0);
  const model = await engine.compileInference(graphFor, state, 'cpu');
  try {
    const run = async (images: Tensor) => [...(await model.run(new Map([[imagesInput, images]]))).values()][0];
    for (const images of ranges) await run(images);
    const rows: Float64Array[] = [];
    for (const images of batches) {
      const output = await run(images);
      if (output?.dtype !== 'float32') throw new Error(`${network.name} gave no float32 output`);
      const { data } = output;
      for (let at = 0; at < data.length; at += head.classes)
        rows.push(Float64Array.from(data.subarray(at, at + head.classes)));
    }
    return rows;
  } finally {
    await model.dispose();
  }
}

/** The class with the largest difference from its mean, of each row. */
function firstClasses(rows: readonly Float64Array[], means: Float64Array): number[] {
  return rows.map((row) => {
    let first = 0;
    const above = (index: number) => (row[index] ?? NaN) - (means[index] ?? NaN);
    for (let index = 1; index < row.length; index++) if (above(index) > above(first)) first = index;
    return first;
  });
}

async function main(): Promise<void> {
  const named = process.argv.slice(2);
  const ranges = await batchesOf('valid', shown);
  const batches = await batchesOf('test', compared);
  for (const name of named.length > 0 ? named : ofEachFamily) {
    const network = namedNetwork(name);
    const said: string[] = [];
    const plain = await outputsOf(network, onnxEngine, ranges, batches);
    const eight = await outputsOf(
      network,
      inPrecision(onnxEngine, 'int8', (sentence) => said.push(sentence)),
      ranges,
      batches,
    );
    const means = Float64Array.from({ length: head.classes }, (_, index) =>
      plain.reduce((sum, row) => sum + (row[index] ?? NaN) / plain.length, 0),
    );
    const [wanted, found] = [firstClasses(plain, means), firstClasses(eight, means)];
    const same = wanted.filter((first, index) => first === found[index]).length;
    console.log(
      `| ${network.family} | ${name} | ${same} of ${plain.length} (${new Set(wanted).size} classes) | ${said.join(' ')} |`,
    );
  }
}

await main();

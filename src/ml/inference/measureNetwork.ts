import { cancelled } from '../../protocol/errors.ts';
import { createGraphBuilder, finishGraph, input } from '../graph/builder.ts';
import { createRandom } from '../graph/random.ts';
import { float32Tensor } from '../graph/tensor.ts';
import { initialise, torchDefaults } from '../networks/initialise.ts';
import { buildHead } from '../networks/layers/head.ts';
import { featuresInput, imagesInput } from '../networks/network.ts';
import type { NamedNetwork } from '../networks/registry.ts';
import { stateShapes } from '../networks/stateShapes.ts';
import { lossTargets } from '../operators/loss/lossTargets.ts';
import type { Placement } from './graphClassifier.ts';

const batchSize = 8;
/** Batches are timed until there are as many, or until they took as long in seconds. */
const [mostBatches, enoughSeconds] = [8, 3];

/** How fast a network is. */
export interface NetworkSpeed {
  /** Images a second that it classifies in batches of 8, of the size that its weights want. */
  readonly imagesPerSecond: number;
  /** Images a second that a head trains on its features, where these are kept. */
  readonly headPerSecond: number;
}

/**
 * Measures a network by the fastest of a few batches. Its weights are random, which takes as long as any. Throws a
 * cancellation after an abort.
 */
export async function measureNetwork(
  network: NamedNetwork,
  placement: Placement,
  signal?: AbortSignal,
): Promise<NetworkSpeed> {
  const imagesPerSecond = await measureClassifying(network, placement, signal);
  if (signal?.aborted) throw cancelled();
  return { imagesPerSecond, headPerSecond: await measureHead(network.features, placement) };
}

async function measureClassifying(
  network: NamedNetwork,
  { engine, device }: Placement,
  signal?: AbortSignal,
): Promise<number> {
  const { preprocessing: pixels } = network;
  const size = pixels.crop;
  const graphFor = (images: number) => network.graph('original', { batchSize: images, size, pixels });
  const state = initialise(stateShapes(graphFor(1)), network.initialise, 0);
  const model = await engine.compileInference(graphFor, state, device);
  try {
    const random = createRandom(0, 'pixels');
    const shape = [batchSize, 3, size, size];
    const data = Uint8Array.from({ length: batchSize * 3 * size * size }, () => random.integer(256));
    const feeds = new Map([[imagesInput, { dtype: 'uint8' as const, shape, data }]]);
    if (signal?.aborted) throw cancelled();
    await model.run(feeds);
    let [fastest, all] = [Infinity, 0];
    for (let batch = 0; batch < mostBatches && all < enoughSeconds; batch++) {
      if (signal?.aborted) throw cancelled();
      const began = performance.now();
      await model.run(feeds);
      const seconds = (performance.now() - began) / 1000;
      fastest = Math.min(fastest, seconds);
      all += seconds;
    }
    return batchSize / fastest;
  } finally {
    await model.dispose();
  }
}

/** The head and its steps, as the recipes have them where nothing else is chosen. */
const [hidden, classes, headBatch, headSteps] = [1024, 100, 32, 20];

/** The fastest of a few steps of a head. */
async function measureHead(features: number, { engine, device }: Placement): Promise<number> {
  const graphFor = (images: number) => {
    const builder = createGraphBuilder();
    const x = input(builder, featuresInput, [images, features]);
    return finishGraph(builder, [buildHead(builder, 'head', x, { hidden: [hidden], dropout: 0, classes })]);
  };
  const graph = graphFor(1);
  const state = initialise(stateShapes(graph), torchDefaults, 0);
  const optimizer = { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
  const training = { trainable: new Set(graph.parameters), optimizer, device };
  const model = await engine.compileTraining(graphFor, { state, optimizer: new Map(), step: 0 }, training);
  try {
    const random = createRandom(0, 'features');
    const values = Float32Array.from({ length: headBatch * features }, () => random.next());
    const labels = Int32Array.from({ length: headBatch }, (_, row) => row % classes);
    const feeds = new Map([
      [featuresInput, float32Tensor([headBatch, features], values)],
      ['targets', lossTargets(labels, { classes, labelSmoothing: 0 })],
    ]);
    let fastest = Infinity;
    for (let step = 0; step < headSteps; step++) {
      const began = performance.now();
      await model.step([feeds], 0.001);
      fastest = Math.min(fastest, (performance.now() - began) / 1000);
    }
    return headBatch / fastest;
  } finally {
    await model.dispose();
  }
}

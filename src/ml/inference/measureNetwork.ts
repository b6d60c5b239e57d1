import { cancelled } from '../../protocol/errors.ts';
import { createRandom } from '../graph/random.ts';
import { initialise } from '../networks/initialise.ts';
import { imagesInput } from '../networks/network.ts';
import type { NamedNetwork } from '../networks/registry.ts';
import { stateShapes } from '../networks/stateShapes.ts';
import type { Placement } from './graphClassifier.ts';

const batchSize = 8;
/** Batches are timed until there are as many, or until they took as long in seconds. */
const [mostBatches, enoughSeconds] = [8, 3];

/**
 * Images a second that a network classifies in batches of 8, of the size that its weights want, by the fastest of a few
 * batches. Its weights are random, which takes as long as any. Throws a cancellation after an abort.
 */
export async function measureNetwork(
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

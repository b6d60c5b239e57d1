import { typeOf } from '../../graph/graph.ts';
import type { StateDict } from '../../graph/tensor.ts';
import type { GraphForBatch, InferenceModel } from '../engine.ts';
import type { DeviceTensor } from '../../operators/tensorflow.ts';
import { download, upload } from './deviceTensor.ts';
import { interpret } from './interpret.ts';
import { watchMemory } from './memory.ts';
import { activate, type Runtime } from './runtime.ts';
import { axesOf, batchSizeOf, rememberGraphs, uploadFeeds } from './state.ts';

/** A network that runs forward on a runtime. The state is copied to the device once. */
export async function createInferenceModel(
  runtime: Runtime,
  graphFor: GraphForBatch,
  state: StateDict,
): Promise<InferenceModel> {
  const { tf, device } = runtime;
  await activate(runtime);
  const graphOf = rememberGraphs(graphFor, state);
  const sample = graphFor(1);
  const weights = new Map<string, DeviceTensor>();
  for (const [name, tensor] of state) {
    // What is not float32 is torch's count of batches, which no graph reads.
    if (tensor.dtype === 'float32') weights.set(name, upload(tf, tensor, axesOf(sample, name)));
  }
  return {
    async run(feeds) {
      await activate(runtime);
      const graph = graphOf(batchSizeOf(feeds));
      const outputs = watchMemory(device, () =>
        tf.tidy(() => {
          const given = new Map([...weights, ...uploadFeeds(tf, graph, feeds)]);
          return Object.fromEntries(interpret(tf, graph, given, graph.outputs, true));
        }),
      );
      const results = Object.entries(outputs).map(
        ([name, value]) => [name, download(tf, value, typeOf(graph, name))] as const,
      );
      tf.dispose(outputs);
      return new Map(results);
    },
    dispose() {
      tf.dispose([...weights.values()]);
      weights.clear();
      return Promise.resolve();
    },
  };
}

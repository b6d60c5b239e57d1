import type { StateDict, Tensor } from '../../graph/tensor.ts';
import { foldBatchNorm } from '../../graph/foldBatchNorm.ts';
import { writeOnnx } from '../../graph/onnx/writeOnnx.ts';
import type { Feeds, GraphForBatch, InferenceModel, ProfileObserver } from '../engine.ts';
import { createSession, fromRuntime, guarded, limitsOf, loadRuntime, type Session, toRuntime } from './session.ts';

async function runSession(session: Session, feeds: Feeds, device: string): Promise<Map<string, Tensor>> {
  const runtime = loadRuntime();
  const inputs = Object.fromEntries([...feeds].map(([name, tensor]) => [name, toRuntime(runtime, tensor)]));
  const results = await guarded(device, () => session.run(inputs, session.outputNames));
  return new Map(Object.entries(results).map(([name, value]) => [name, fromRuntime(value)]));
}

/** Batch size of a run: the first dimension of its first input. */
export function batchOf(feeds: Feeds): number {
  for (const { shape } of feeds.values()) return shape[0] ?? 1;
  throw new Error('a run needs at least one input');
}

/** One static session a batch size, batch norm folded into the convolutions, weights constant. */
export function createInferenceModel(
  graphFor: GraphForBatch,
  state: StateDict,
  device: string,
  observer?: ProfileObserver,
): InferenceModel {
  const sessions = new Map<number, Promise<Session>>();
  const open = (batchSize: number) => {
    const { graph, constants } = foldBatchNorm(graphFor(batchSize), state);
    const watch = { purpose: 'inference', batchSize, observer, graph };
    return createSession(writeOnnx(graph, { constants, webgpu: limitsOf(device) }), device, 'inference', watch);
  };
  return {
    async run(feeds) {
      const batchSize = batchOf(feeds);
      const session = sessions.get(batchSize) ?? open(batchSize);
      sessions.set(batchSize, session);
      return runSession(await session, feeds, device);
    },
    async dispose() {
      const opened = await Promise.allSettled(sessions.values());
      sessions.clear();
      for (const session of opened) if (session.status === 'fulfilled') await session.value.release();
    },
  };
}

/** A foreign ONNX model as it is. */
export async function createOnnxModel(
  model: Uint8Array,
  device: string,
  observer?: ProfileObserver,
): Promise<InferenceModel> {
  // A foreign model takes any batch size.
  const session = await createSession(model, device, 'inference', { purpose: 'inference', batchSize: 0, observer });
  return {
    run: (feeds) => runSession(session, feeds, device),
    dispose: () => session.release(),
  };
}

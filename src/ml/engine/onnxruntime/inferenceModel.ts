import { foldBatchNorm } from '../../passes/foldBatchNorm.ts';
import { wholeMapsAsProducts } from '../../passes/wholeMapsAsProducts.ts';
import { writeOnnx } from '../../lowering/writeOnnx.ts';
import type { OnnxModel } from '../../onnx/onnxModel.ts';
import type { StateDict } from '../../graph/tensor.ts';
import type { GraphForBatch, InferenceModel, ProfileObserver } from '../engine.ts';
import type { Library } from './capi/library.ts';
import { type Compile, createQuantizedModel } from './quantizedModel.ts';
import { createSession, limitsOf } from './session.ts';
import { sessionForAll, sessionsByBatch } from './sessionsByBatch.ts';

/** How inference models are made, beside where they run. */
export interface InferenceOptions {
  readonly observer?: ProfileObserver | undefined;
  /** See `SessionWishes`. */
  readonly library?: Library | undefined;
  /** Brings models to 8 bits (see quantizedModel.ts), and hears of it. */
  readonly int8?: ((sentence: string) => void) | undefined;
  /** See `SessionWishes`. */
  readonly lanes?: number | undefined;
}

/** One static session a batch size, batch norm folded into the convolutions, weights constant. */
export function createInferenceModel(
  graphFor: GraphForBatch,
  state: StateDict,
  device: string,
  { observer, int8, library, lanes }: InferenceOptions = {},
): InferenceModel {
  const compile: Compile = (edit) =>
    sessionsByBatch(device, (batchSize) => {
      const folded = foldBatchNorm(graphFor(batchSize), state);
      const isPlain = device === 'cpu' && !int8;
      const { graph, constants } = isPlain ? wholeMapsAsProducts(folded.graph, folded.constants) : folded;
      const model = edit(writeOnnx(graph, { constants, webgpu: limitsOf(device) }));
      const watch = { purpose: 'inference', batchSize, observer, graph };
      return createSession(model, device, 'inference', { watch, library, lanes });
    });
  return int8 ? createQuantizedModel(compile, int8) : compile((model) => model);
}

/** A foreign ONNX model as it is. Throws where ONNX Runtime cannot open it. */
export async function createOnnxModel(
  model: OnnxModel,
  device: string,
  { observer, int8, library, lanes }: InferenceOptions = {},
): Promise<InferenceModel> {
  // A foreign model takes any batch size.
  const watch = { purpose: 'inference', batchSize: 0, observer };
  const open = (edited: OnnxModel) => createSession(edited, device, 'inference', { watch, library, lanes });
  if (!int8) return sessionForAll(device, await open(model));
  return createQuantizedModel((edit) => sessionsByBatch(device, () => open(edit(model))), int8);
}

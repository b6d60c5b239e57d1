import type { Engine } from '../../../src/ml/engine/engine.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createTrainingModel } from '../../../src/ml/engine/onnxruntime/trainingModel.ts';

/** ONNX Runtime's CPU with training steps in float64: shows whether a difference is rounding or a mistake. */
export const doubleEngine: Engine = {
  ...onnxEngine,
  compileTraining: (graphFor, initial, options) =>
    createTrainingModel(graphFor, initial, options, undefined, { precision: 'float64' }),
};

import type { Engine } from '../../../src/ml/engine/engine.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createTrainingModel } from '../../../src/ml/engine/onnxruntime/trainingModel.ts';
import type { WebgpuLimits } from '../../../src/ml/lowering/webgpu/webgpuLimits.ts';

/** ONNX Runtime's CPU with the forms of training steps that are written for WebGPU. */
export function webgpuFormsEngine(limits: WebgpuLimits): Engine {
  return {
    ...onnxEngine,
    compileTraining: (graphFor, initial, options) =>
      createTrainingModel(graphFor, initial, options, undefined, { webgpu: limits }),
  };
}

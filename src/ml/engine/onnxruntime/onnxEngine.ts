import type { Engine, ProfileObserver } from '../engine.ts';
import { listOnnxDevices, requireDevice } from './devices.ts';
import { createInferenceModel, createOnnxModel } from './inferenceModel.ts';
import { createTrainingModel } from './trainingModel.ts';

/** ONNX Runtime: the engine that every machine has. */
export const onnxEngine = createOnnxEngine();

function createOnnxEngine(observer?: ProfileObserver): Engine {
  return {
    name: 'onnx',
    profiled: createOnnxEngine,
    devices: listOnnxDevices,
    async compileInference(graphFor, state, device) {
      requireDevice(device);
      return Promise.resolve(createInferenceModel(graphFor, state, device, observer));
    },
    async compileOnnx(model, device) {
      requireDevice(device);
      return createOnnxModel(model, device, observer);
    },
    async compileTraining(graphFor, initial, options) {
      requireDevice(options.device);
      return Promise.resolve(createTrainingModel(graphFor, initial, options, observer));
    },
  };
}

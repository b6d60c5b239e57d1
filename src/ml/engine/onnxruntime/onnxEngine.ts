import type { Engine, ProfileObserver } from '../engine.ts';
import { listOnnxDevices, requireDevice } from './devices.ts';
import { fewAtOnce } from './fewAtOnce.ts';
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
      const model = createInferenceModel(graphFor, state, device, observer);
      return Promise.resolve(device === 'cpu' ? fewAtOnce(model) : model);
    },
    async compileOnnx(model, device) {
      requireDevice(device);
      const compiled = await createOnnxModel(model, device, observer);
      return device === 'cpu' ? fewAtOnce(compiled) : compiled;
    },
    async compileTraining(graphFor, initial, options) {
      requireDevice(options.device);
      return createTrainingModel(graphFor, initial, options, observer);
    },
  };
}

import type { Engine } from '../engine.ts';
import { listOnnxDevices } from './devices.ts';
import { createInferenceModel, createOnnxModel } from './inferenceModel.ts';
import { createTrainingModel } from './trainingModel.ts';

/** ONNX Runtime: the engine that every machine has. */
export const onnxEngine: Engine = {
  name: 'onnx',
  devices: listOnnxDevices,
  compileInference: (graphFor, state, device) => Promise.resolve(createInferenceModel(graphFor, state, device)),
  compileOnnx: createOnnxModel,
  compileTraining: (graphFor, initial, options) => Promise.resolve(createTrainingModel(graphFor, initial, options)),
};

import { userError } from '../../../protocol/errors.ts';
import type { Engine } from '../engine.ts';
import { createInferenceModel } from './inference.ts';
import { openRuntime, tensorflowCard, tensorflowDevices } from './runtime.ts';
import { createTrainingModel } from './training.ts';

/**
 * The second engine: it interprets the same graphs with TensorFlow.js and takes TensorFlow.js's own gradients. The
 * library is loaded when a model is compiled, not before.
 */
export const tensorflowEngine: Engine = {
  name: 'tensorflow',
  devices: tensorflowDevices,
  card: tensorflowCard,
  compileInference: async (graphFor, state, device) => createInferenceModel(await openRuntime(device), graphFor, state),
  compileOnnx: () =>
    Promise.reject(userError('TensorFlow.js reads no ONNX files: run an ONNX backbone with --engine onnx.')),
  compileTraining: async (graphFor, initial, options) =>
    createTrainingModel(await openRuntime(options.device), graphFor, initial, options),
};

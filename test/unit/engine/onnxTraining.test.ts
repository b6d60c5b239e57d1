import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { testTraining } from './trainingContract.ts';

testTraining(onnxEngine);

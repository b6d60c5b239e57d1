import { webgpuLimits } from '../../../src/ml/graph/onnx/webgpuWeightGradient.ts';
import { testTraining } from './trainingContract.ts';
import { webgpuFormsEngine } from './webgpuFormsEngine.ts';

testTraining(webgpuFormsEngine(webgpuLimits));

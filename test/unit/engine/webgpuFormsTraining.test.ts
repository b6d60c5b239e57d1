import { webgpuLimits } from '../../../src/ml/graph/onnx/webgpuLimits.ts';
import { testTraining } from './trainingContract.ts';
import { webgpuFormsEngine } from './webgpuFormsEngine.ts';

testTraining(webgpuFormsEngine(webgpuLimits));

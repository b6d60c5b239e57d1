import { webgpuLimits } from '../../../src/ml/lowering/webgpu/webgpuLimits.ts';
import { testTraining } from './trainingContract.ts';
import { webgpuFormsEngine } from './webgpuFormsEngine.ts';

testTraining(webgpuFormsEngine(webgpuLimits));

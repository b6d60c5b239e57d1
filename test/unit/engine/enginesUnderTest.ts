import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { webgpuLimits } from '../../../src/ml/lowering/webgpu/webgpuLimits.ts';
import type { EngineUnderTest } from './checkGradients.ts';
import { doubleEngine } from './doubleEngine.ts';
import { webgpuFormsEngine } from './webgpuFormsEngine.ts';

export const onnxRuntime: EngineUnderTest = { engine: onnxEngine };
/** With what central differences leave of float64: a thousand times as strict as float32 allows. */
export const inDouble: EngineUnderTest = { engine: doubleEngine, tolerance: 1e-6 };
export const webgpuForms: EngineUnderTest = { engine: webgpuFormsEngine(webgpuLimits) };

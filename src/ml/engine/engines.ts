import type { Engine } from './engine.ts';
import { onnxEngine } from './onnxruntime/onnxEngine.ts';
import { tensorflowEngine } from './tensorflow/tensorflowEngine.ts';

/** Every engine there is, in the order in which they are preferred. */
export const engines: readonly Engine[] = [onnxEngine, tensorflowEngine];

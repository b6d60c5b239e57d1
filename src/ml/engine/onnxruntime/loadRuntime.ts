import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** What ONNX Runtime writes by itself: nothing but what ends the process. */
export const fatalOnly = 4;

/**
 * ONNX Runtime's module. Its native code, 20 MB, is loaded when it is first asked for; Node keeps it. It writes nothing by
 * itself: its lines would bring names from foreign files to the terminal as they are, and what fails is thrown too.
 */
export function loadRuntime(): typeof import('onnxruntime-node') {
  const runtime = require('onnxruntime-node') as typeof import('onnxruntime-node');
  runtime.env.logLevel = 'fatal';
  return runtime;
}

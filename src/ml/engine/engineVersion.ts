import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import type { EngineName } from './engine.ts';

const require = createRequire(import.meta.url);

/** npm packages that the engines compute with; of TensorFlow.js the part that is always there. */
const packages = { onnx: 'onnxruntime-node', tensorflow: '@tensorflow/tfjs-core' } as const;

/** Version of the npm package that an engine computes with; `absent` where it is not installed. */
export function engineVersion(engine: EngineName): string {
  return packageVersion(packages[engine]);
}

/** Version of an installed npm package, or `absent`. */
export function packageVersion(name: string): string {
  try {
    return z.object({ version: z.string() }).parse(require(describing(name))).version;
  } catch {
    return 'absent';
  }
}

/** A package's `package.json`; beside its module where the package does not export it, as koffi's. */
function describing(name: string): string {
  try {
    return require.resolve(`${name}/package.json`);
  } catch {
    return join(dirname(require.resolve(name)), 'package.json');
  }
}

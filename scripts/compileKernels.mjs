// Compiles the data path's inner loops, where they changed since, into FOLDER/pixels.wasm.
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '..');
const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js');
const source = 'src/ml/data/kernels/pixels.ts';

/** Writes `pixels.wasm` into `folder` unless it is that of the source. Throws with the compiler's words. */
export function compileKernels(folder = join(root, 'dist/ml')) {
  const file = join(folder, 'pixels.wasm');
  if (timeOf(file) > timeOf(join(root, source))) return;
  mkdirSync(folder, { recursive: true });
  const memory = ['--runtime', 'stub', '--memoryBase', '0', '--initialMemory', '1', '--noAssert'];
  const args = [source, '--outFile', file, '-O3', '--enable', 'simd', ...memory];
  execFileSync(process.execPath, [compiler, ...args], { cwd: root, stdio: 'inherit' });
}

function timeOf(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

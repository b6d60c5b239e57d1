// Compiles the inner loops in AssemblyScript, where they changed since, into FOLDER.
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '..');
const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js');
/** The data path's have a memory of their own; updates of parameters work in one that they are given. */
const modules = [
  { name: 'pixels', source: 'src/ml/data/kernels/pixels.ts', memory: ['--initialMemory', '1'] },
  { name: 'updates', source: 'src/ml/engine/onnxruntime/kernels/updates.ts', memory: ['--importMemory'] },
];

/** Writes `NAME.wasm` of each module into `folder` unless it is that of the source. Throws with the compiler's words. */
export function compileKernels(folder = join(root, 'dist/ml')) {
  mkdirSync(folder, { recursive: true });
  for (const { name, source, memory } of modules) {
    const file = join(folder, `${name}.wasm`);
    if (timeOf(file) > timeOf(join(root, source))) continue;
    const args = [source, '--outFile', file, '-O3', '--enable', 'simd', '--runtime', 'stub', '--memoryBase', '0'];
    execFileSync(process.execPath, [compiler, ...args, '--noAssert', ...memory], { cwd: root, stdio: 'inherit' });
  }
}

function timeOf(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

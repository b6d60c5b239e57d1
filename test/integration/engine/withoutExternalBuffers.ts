import { readFileSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { loadKoffi } from '../../../src/ml/native/koffi.ts';
import { stressLibrary } from './libraryStress.ts';

/*
 * Runs the stress with a koffi that cannot make a buffer over foreign memory, as in Electron: that function of Node's has
 * another name in a copy of it, which ends the process that calls it. At the end it is called, to see that. Arguments: a
 * folder for the copy, runs.
 */
const [folder = '.', runs] = process.argv.slice(2);

type Loader = (module: { exports: unknown }, file: string) => void;
const { _extensions: loaders } = Module as unknown as { readonly _extensions: Record<string, Loader> };
const original = loaders['.node'];
loaders['.node'] = (module, file) => {
  if (!file.endsWith('koffi.node')) {
    original?.(module, file);
    return;
  }
  const copy = join(folder, 'koffi.node');
  const wanted = 'napi_create_external_arraybuffer';
  const content = readFileSync(file, 'latin1');
  if (!content.includes(wanted)) throw new Error(`koffi does not use ${wanted} any more`);
  writeFileSync(copy, content.replaceAll(wanted, 'napi_create_nothing_arraybuffers'), 'latin1');
  process.dlopen(module, copy);
};

const { runs: done } = await stressLibrary(Number(runs), 1);
process.stdout.write(`${done} runs`);
const koffi = loadKoffi();
koffi.view(koffi.address(new Uint8Array(4096)), 4096);
process.stdout.write(' and a view');

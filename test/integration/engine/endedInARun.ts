import process from 'node:process';
import { openLibrary } from '../../../src/ml/engine/onnxruntime/capi/library.ts';
import { letGo } from '../../../src/ml/engine/onnxruntime/cuda/cudaLibrary.ts';
import { onnxEngineAside } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { loadKoffi } from '../../../src/ml/native/koffi.ts';
import { adam, feeds, initialState, names, network } from '../../unit/engine/trainingFixture.ts';

/* A process that ends as the second Ctrl-C does while a step runs, with a library that aborts at the end as a driver does. */

const libc = loadKoffi().load('libc.so.6');
const abort = libc.func('void *dlsym(void *, str)')(null, 'abort') as bigint;
libc.func('int __cxa_atexit(void *, void *, void *)')(abort, null, null);

const library = { ...openLibrary(), shortMilliseconds: 0 };
process.once('exit', (code) => letGo(library, code));
const options = { trainable: new Set(names.parameters), optimizer: adam, device: 'cpu' };
const initial = { state: initialState, optimizer: new Map(), step: 0 };
const model = await onnxEngineAside(library).compileTraining((batch) => network(batch, 'batch'), initial, options);
await model.step([feeds()], 0.01);
void model.step([feeds()], 0.01);
// What ends the call comes with the event loop, which has no turn here.
for (let turn = 0; !library.isCalled() && turn < 1e6; turn++) await Promise.resolve();
process.stdout.write('in a run');
process.exit(130);

import { join } from 'node:path';
import process from 'node:process';
import { userError } from '../../../../protocol/errors.ts';
import { endNow } from '../../../native/endNow.ts';
import { loadKoffi } from '../../../native/koffi.ts';
import { ordinaryMemory } from '../capi/functions.ts';
import { type Library, openLibraryFile } from '../capi/library.ts';
import { withOptions } from '../capi/providerOptions.ts';
import { cudaOptions } from './cudaOptions.ts';
import { installedCuda } from './installedCuda.ts';

let opened: Library | undefined;

/**
 * ONNX Runtime as it was installed with its CUDA provider: another file than the package's, of the same version, because
 * providers are looked for beside it. Opened once a process, for good. Throws a user error where it is not installed, and as
 * `openLibraryFile` does.
 */
export function openCudaLibrary(): Library {
  return (opened ??= open());
}

function open(): Library {
  const installed = installedCuda();
  if (!installed) throw userError('CUDA’s libraries are not installed. Choose another --device.');
  const { files, folder } = installed;
  const koffi = loadKoffi();
  for (const file of files.first) koffi.load(join(folder, file));
  const library = openLibraryFile(join(folder, files.runtime));
  process.once('exit', (code) => letGo(library, code));
  return {
    ...library,
    card: library.made('CreateMemoryInfo', 'Cuda', ordinaryMemory.allocator, 0, ordinaryMemory.memory),
  };
}

/**
 * Lets go of the library as the process ends, with `code`: the provider registers something for that end which crashes while
 * an environment is left. Where a run is under way in another thread, as after a second Ctrl-C, the environment cannot be
 * released, and the process ends at once, without what is registered.
 */
export function letGo({ isCalled, release, environment }: Library, code: number): void {
  if (isCalled()) endNow(code);
  else release('ReleaseEnv', environment);
}

/** Adds the CUDA provider to the options of a session of this library. Throws what the provider or the driver says. */
export function appendCuda(library: Library, settings: bigint): void {
  const { made, call, release } = library;
  const options = made('CreateCUDAProviderOptions');
  try {
    withOptions(library, cudaOptions(), (...pairs) => call('UpdateCUDAProviderOptions', options, ...pairs));
    call('SessionOptionsAppendExecutionProvider_CUDA_V2', settings, options);
  } finally {
    release('ReleaseCUDAProviderOptions', options);
  }
}

import { createRequire } from 'node:module';

/**
 * Bytes of the stack that koffi makes for a call. By itself it makes 128 KiB for one in another thread, and ONNX Runtime is
 * used to those of threads.
 */
const stackBytes = 8 * 1024 * 1024;

let loaded: typeof import('koffi') | undefined;

/**
 * koffi, which calls C libraries. Loaded when it is first asked for, since a machine may not be able to, which throws. Its
 * settings are made here, because it takes none once it has loaded a library.
 */
export function loadKoffi(): typeof import('koffi') {
  if (loaded) return loaded;
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  koffi.config({ ...koffi.config(), sync_stack_size: stackBytes, async_stack_size: stackBytes });
  return (loaded = koffi);
}

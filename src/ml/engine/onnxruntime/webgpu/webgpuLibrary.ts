import { ordinaryMemory } from '../capi/functions.ts';
import { type Library, openLibrary } from '../capi/library.ts';
import { type ProviderOptions, withOptions } from '../capi/providerOptions.ts';

let opened: Library | undefined;

/**
 * ONNX Runtime's library for sessions on WebGPU, whose tensors can stay on the card. The device is one for all sessions of the
 * process, those of the binding too, and knows no threads: all calls are made in place. Throws as `openLibrary` does.
 */
export function openWebgpuLibrary(): Library {
  return (opened ??= open());
}

function open(): Library {
  const library = openLibrary();
  const { allocator, memory } = ordinaryMemory;
  return {
    ...library,
    callAside: (name, ...args) => Promise.resolve().then(() => library.call(name, ...args)),
    card: library.made('CreateMemoryInfo', 'WebGPU_Buf', allocator, 0, memory),
  };
}

/** Adds the WebGPU provider to the options of a session. Throws what the provider says. */
export function appendWebgpu(library: Library, settings: bigint, options: ProviderOptions): void {
  withOptions(library, options, (...pairs) =>
    library.call('SessionOptionsAppendExecutionProvider', settings, 'WebGPU', ...pairs),
  );
}

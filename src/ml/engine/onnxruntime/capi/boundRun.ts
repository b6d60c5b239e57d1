import type { Library } from './library.ts';

/** An input of a run: its name as the library takes it, and a handle on its value. */
export interface BoundInput {
  readonly name: Uint8Array;
  readonly value: bigint;
}

/** An output of a run: its name as the library takes it, and where ONNX Runtime is to make it, a description of memory. */
export interface BoundOutput {
  readonly name: Uint8Array;
  readonly memory: bigint;
}

/**
 * Runs a session whose outputs are made where they are to stay, on a card for example, and gives handles on them in the order
 * of `outputs`, which the caller has to release. Inputs that are elsewhere are copied to where the session computes. What lies
 * behind names and values has to be kept until the promise has settled. Throws an `Error` with ONNX Runtime's message.
 */
export async function runBound(
  library: Library,
  session: bigint,
  inputs: readonly BoundInput[],
  outputs: readonly BoundOutput[],
): Promise<readonly bigint[]> {
  const { call, callAside, made, release } = library;
  const binding = made('CreateIoBinding', session);
  try {
    for (const { name, value } of inputs) call('BindInput', binding, name, value);
    for (const { name, memory } of outputs) call('BindOutputToDevice', binding, name, memory);
    await callAside('RunWithBinding', session, null, binding);
    return boundValues(library, binding, outputs.length);
  } finally {
    release('ReleaseIoBinding', binding);
  }
}

function boundValues({ call, copyOf, allocator }: Library, binding: bigint, expected: number): readonly bigint[] {
  const [values, count] = [new BigUint64Array(1), new BigUint64Array(1)];
  call('GetBoundOutputValues', binding, allocator, values, count);
  const address = values[0] ?? 0n;
  try {
    const handles = Array.from(copyOf(address, 'uint64', Number(count[0])) as BigUint64Array);
    if (handles.length !== expected) throw new Error(`the run gave ${handles.length} outputs instead of ${expected}`);
    return handles;
  } finally {
    call('AllocatorFree', allocator, address);
  }
}

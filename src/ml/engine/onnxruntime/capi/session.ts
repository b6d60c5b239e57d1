import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { trimMemory } from '../../../native/trimMemory.ts';
import { fatalOnly, loadRuntime } from '../loadRuntime.ts';
import type { Fetches, ProfilableSession, RuntimeTensors } from '../sessionTypes.ts';
import type { ExternalData } from '../weightsBeside.ts';
import { elementTypes, optimizationLevels } from './functions.ts';
import type { Library } from './library.ts';
import type { ElementType } from './memory.ts';

/** What of ONNX Runtime's options for a session we set. */
export interface LibrarySessionOptions {
  readonly optimization: keyof typeof optimizationLevels;
  /** Threads of an operator; 0 leaves them to ONNX Runtime. */
  readonly threads: number;
  readonly memoryPattern: boolean;
  /** Configuration entries by their dotted names. */
  readonly entries: Readonly<Record<string, string>>;
  /** Adds a provider that is asked before the CPU's to the options of a session. */
  readonly appendProvider?: ((settings: bigint) => void) | undefined;
  /** Weights beside the model, by the names under which it looks for them. */
  readonly externalData: readonly ExternalData[];
  /** Where the trace of a session whose kernels are timed goes: the beginning of its path. */
  readonly profilePrefix?: string | undefined;
}

/**
 * A session on the CPU that is made in another thread and runs there, so that the event loop goes on meanwhile; short runs
 * are made in place. An output that the fetches hold a tensor for is written into that tensor. Runs of all sessions come one
 * after the other, since each takes all cores. A run reads what it is fed where that is: until its end, nobody may write there
 * or hand that memory to another thread. Nothing of it outlives the run.
 */
export async function librarySession(
  library: Library,
  model: Uint8Array,
  options: LibrarySessionOptions,
): Promise<ProfilableSession> {
  const session = await openSession(library, model, options);
  // Of the heap of the thread that made it: 17 MB with ConvNet2.
  trimMemory();
  const [inputNames, outputNames] = namesOfSession(library, session);
  const open: OpenSession = {
    library,
    session,
    inputNames,
    texts: new Map(),
    milliseconds: Number.POSITIVE_INFINITY,
  };
  let isOpen = true;
  let lastRun: Promise<unknown> = Promise.resolve();
  return {
    inputNames,
    outputNames,
    writesIntoFetches: true,
    run: (feeds, fetches) => {
      if (!isOpen) return Promise.reject(new Error('the session has been released'));
      const run = inTurn(() => runOnce(open, feeds, fetches));
      lastRun = run.then(nothing, nothing);
      return run;
    },
    endProfiling: () => void takenText(library, library.made('SessionEndProfiling', session, library.allocator)),
    release: async () => {
      if (!isOpen) return;
      isOpen = false;
      // Later runs wait for earlier ones.
      await lastRun;
      library.release('ReleaseSession', session);
    },
  };
}

let turn: Promise<unknown> = Promise.resolve();

/** A promise of nothing keeps no results. */
function nothing(): void {
  return undefined;
}

function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = turn.then(work);
  turn = result.then(nothing, nothing);
  return result;
}

async function openSession(library: Library, model: Uint8Array, options: LibrarySessionOptions): Promise<bigint> {
  const { call, made, addressOf } = library;
  const settings = made('CreateSessionOptions');
  try {
    call('SetSessionLogSeverityLevel', settings, fatalOnly);
    call('SetSessionGraphOptimizationLevel', settings, optimizationLevels[options.optimization]);
    call('SetIntraOpNumThreads', settings, options.threads);
    call(options.memoryPattern ? 'EnableMemPattern' : 'DisableMemPattern', settings);
    if (options.profilePrefix !== undefined) call('EnableProfiling', settings, pathText(options.profilePrefix));
    for (const [name, value] of Object.entries(options.entries)) call('AddSessionConfigEntry', settings, name, value);
    options.appendProvider?.(settings);
    const { externalData } = options;
    const paths = externalData.map(({ path }) => pathText(path));
    const weights = externalData.map(({ data }) => data);
    if (externalData.length > 0) {
      const [names, places] = [paths, weights].map((list) => BigUint64Array.from(list, addressOf));
      const lengths = BigUint64Array.from(weights, ({ byteLength }) => BigInt(byteLength));
      const [name = null, place = null] = [names, places];
      call('AddExternalInitializersFromFilesInMemory', settings, name, place, lengths, externalData.length);
    }
    const result = new BigUint64Array(1);
    const { environment } = library;
    await library.callAside('CreateSessionFromArray', environment, model, model.byteLength, settings, result);
    // Up to here they had to be there.
    for (const list of [paths, weights]) list.length = 0;
    return result[0] ?? 0n;
  } finally {
    library.release('ReleaseSessionOptions', settings);
  }
}

/** The names of inputs and outputs. Lets go of the session where they cannot be read. */
function namesOfSession(library: Library, session: bigint): readonly [string[], string[]] {
  try {
    return [namesOf(library, session, 'Input'), namesOf(library, session, 'Output')];
  } catch (error) {
    library.release('ReleaseSession', session);
    throw error;
  }
}

function namesOf(library: Library, session: bigint, kind: 'Input' | 'Output'): string[] {
  const { made, allocator } = library;
  const count = Number(made(`SessionGet${kind}Count`, session));
  return Array.from({ length: count }, (_, index) =>
    takenText(library, made(`SessionGet${kind}Name`, session, index, allocator)),
  );
}

/** A text that the library has made for us, which is let go of. */
function takenText({ call, textAt, allocator }: Library, address: bigint): string {
  const text = textAt(address);
  call('AllocatorFree', allocator, address);
  return text;
}

interface OpenSession {
  readonly library: Library;
  readonly session: bigint;
  readonly inputNames: readonly string[];
  /** The names of inputs and outputs as the library takes them, which have to be there for as long as runs use them. */
  readonly texts: Map<string, Uint8Array>;
  /** How long the last run took. */
  milliseconds: number;
}

async function runOnce(open: OpenSession, feeds: RuntimeTensors, fetches: Fetches): Promise<RuntimeTensors> {
  const { library, session, inputNames } = open;
  const wanted: (readonly [string, OrtTensor | null])[] = Array.isArray(fetches)
    ? fetches.map((name: string) => [name, null] as const)
    : Object.entries(fetches as Readonly<Record<string, OrtTensor | null>>);
  // What the run reads and writes, and the handles on it: held here until it is over.
  const memory: { readonly data: NodeJS.TypedArray; readonly bytes: number }[] = [];
  const handles: bigint[] = [];
  const handleOn = (tensor: OrtTensor) => {
    const type = elementTypeOf(tensor);
    const data = tensor.data as NodeJS.TypedArray;
    memory.push({ data, bytes: data.byteLength });
    const shape = BigInt64Array.from(tensor.dims, BigInt);
    const handle = library.made(
      'CreateTensorWithDataAsOrtValue',
      library.memoryInfo,
      data,
      data.byteLength,
      shape,
      shape.length,
      elementTypes[type],
    );
    handles.push(handle);
    return handle;
  };
  const outputs = new BigUint64Array(wanted.length);
  try {
    const inputs = BigUint64Array.from(inputNames, (name) => handleOn(tensorOf(feeds, name)));
    for (const [index, [, tensor]] of wanted.entries()) if (tensor) outputs[index] = handleOn(tensor);
    const names = [namesFor(open, inputNames), namesFor(open, wanted.map(([name]) => name))] as const; // prettier-ignore
    const counts = [inputNames.length, wanted.length] as const;
    const args = ['Run', session, null, names[0], inputs, counts[0], names[1], counts[1], outputs] as const;
    const began = performance.now();
    if (open.milliseconds < library.shortMilliseconds) library.call(...args);
    else await library.callAside(...args);
    open.milliseconds = performance.now() - began;
    if (memory.some(({ data, bytes }) => data.byteLength !== bytes)) {
      throw new Error('what a run reads was handed to somebody else before its end');
    }
    return Object.fromEntries(
      wanted.map(([name, tensor], index) => [name, tensor ?? copyOf(library, outputs[index] ?? 0n)]),
    );
  } finally {
    for (const handle of new Set([...handles, ...outputs])) if (handle !== 0n) library.release('ReleaseValue', handle);
    memory.length = 0;
  }
}

function tensorOf(feeds: RuntimeTensors, name: string): OrtTensor {
  const tensor = feeds[name];
  if (!tensor) throw new Error(`nothing feeds ${name}`);
  return tensor;
}

function namesFor({ library, texts }: OpenSession, names: readonly string[]): BigUint64Array {
  return BigUint64Array.from(names, (name) => {
    const text = texts.get(name) ?? zeroEnded(name);
    texts.set(name, text);
    return library.addressOf(text);
  });
}

function elementTypeOf({ type }: OrtTensor): ElementType {
  if (type in elementTypes) return type as ElementType;
  throw new Error(`unexpected element type ${type}`);
}

const copied = {
  float32: 'float',
  float64: 'double',
  int8: 'int8',
  uint8: 'uint8',
  bool: 'uint8',
  int32: 'int32',
  int64: 'int64',
} as const;

/** The tensor behind a handle, in memory of its own. */
function copyOf(library: Library, handle: bigint): OrtTensor {
  const { made, call } = library;
  const info = made('GetTensorTypeAndShape', handle);
  try {
    const code = Number(made('GetTensorElementType', info) & 0xffffffffn);
    const type = (Object.keys(elementTypes) as ElementType[]).find((known) => elementTypes[known] === code);
    if (!type) throw new Error(`unexpected element type ${code}`);
    const shape = new BigInt64Array(Number(made('GetDimensionsCount', info)));
    call('GetDimensions', info, shape, shape.length);
    const dims = Array.from(shape, Number);
    const count = dims.reduce((product, size) => product * size, 1);
    const data = library.copyOf(made('GetTensorMutableData', handle), copied[type], count);
    return new (loadRuntime().Tensor)(type, data as Float32Array, dims);
  } finally {
    library.release('ReleaseTensorTypeAndShapeInfo', info);
  }
}

function zeroEnded(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

/** A path as this system's library takes it. */
function pathText(path: string): Uint8Array {
  return process.platform === 'win32' ? new Uint8Array(Buffer.from(`${path}\0`, 'utf16le')) : zeroEnded(path);
}

import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { trimMemory } from '../../../native/trimMemory.ts';
import { fatalOnly } from '../loadRuntime.ts';
import type { Fetches, ProfilableSession, RuntimeTensors } from '../sessionTypes.ts';
import type { ExternalData } from '../weightsBeside.ts';
import { runBound } from './boundRun.ts';
import { optimizationLevels } from './functions.ts';
import type { Library } from './library.ts';
import { zeroEnded } from './memory.ts';
import { cardMemoryOf, copyOf, tensorOnCard, valueOver } from './values.ts';

/** What of ONNX Runtime's options for a session we set. */
export interface LibrarySessionOptions {
  readonly optimization: keyof typeof optimizationLevels;
  /** Threads of an operator; 0 leaves them to ONNX Runtime. */
  readonly threads: number;
  /** Whether runs go on at the same time as others, each in another thread. */
  readonly sideBySide?: boolean;
  readonly memoryPattern: boolean;
  /** Configuration entries by group and name. */
  readonly entries: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Adds a provider that is asked before the CPU's to the options of a session. */
  readonly appendProvider?: ((settings: bigint) => void) | undefined;
  /** Outputs that stay where the library keeps some, for the next run to read them there. */
  readonly kept?: ReadonlySet<string> | undefined;
  /** Weights beside the model, by the names under which it looks for them. */
  readonly externalData: readonly ExternalData[];
  /** Where the trace of a session whose kernels are timed goes: the beginning of its path. */
  readonly profilePrefix?: string | undefined;
}

/**
 * A session that is made in another thread and runs there, so that the event loop goes on meanwhile; short runs are made in
 * place. An output that the fetches hold a tensor for is written into that tensor; one that is kept is a tensor of the kind
 * `gpu-buffer`, whose `dispose` frees it. Runs of all sessions come one after the other, since each takes all cores, but for those side by side. A run
 * reads what it is fed where that is: until its end, nobody may write there or hand that memory to another thread. Nothing else
 * of it outlives the run.
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
    kept: library.card === undefined ? new Set() : (options.kept ?? new Set()),
    milliseconds: Number.POSITIVE_INFINITY,
    shortMilliseconds: options.sideBySide === true ? 0 : library.shortMilliseconds,
  };
  const begin = options.sideBySide === true ? atOnce : inTurn;
  let isOpen = true;
  let runs: Promise<unknown> = Promise.resolve();
  return {
    inputNames,
    outputNames,
    writesIntoFetches: open.kept.size === 0,
    run: (feeds, fetches, signal) => {
      if (!isOpen) return Promise.reject(new Error('the session has been released'));
      const run = begin(() => runOnce(open, feeds, fetches, signal));
      runs = Promise.allSettled([runs, run]).then(nothing);
      return run;
    },
    endProfiling: () => void takenText(library, library.made('SessionEndProfiling', session, library.allocator)),
    release: async () => {
      if (!isOpen) return;
      isOpen = false;
      await runs;
      library.release('ReleaseSession', session);
    },
  };
}

let turn: Promise<unknown> = Promise.resolve();

/** A promise of nothing keeps no results. */
function nothing(): void {
  return undefined;
}

function atOnce<Result>(work: () => Promise<Result>): Promise<Result> {
  return work();
}

function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = turn.then(work);
  turn = result.then(nothing, nothing);
  return result;
}

/** Opens a session, which the caller has to release; made in another thread. */
export async function openSession(
  library: Library,
  model: Uint8Array,
  options: LibrarySessionOptions,
): Promise<bigint> {
  const { call, made, addressOf } = library;
  const settings = made('CreateSessionOptions');
  try {
    call('SetSessionLogSeverityLevel', settings, fatalOnly);
    call('SetSessionGraphOptimizationLevel', settings, optimizationLevels[options.optimization]);
    call('SetIntraOpNumThreads', settings, options.threads);
    call(options.memoryPattern ? 'EnableMemPattern' : 'DisableMemPattern', settings);
    if (options.profilePrefix !== undefined) call('EnableProfiling', settings, pathText(options.profilePrefix));
    for (const [group, entries] of Object.entries(options.entries))
      for (const [name, value] of Object.entries(entries))
        call('AddSessionConfigEntry', settings, `${group}.${name}`, value);
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
  /** Outputs that stay on the card. */
  readonly kept: ReadonlySet<string>;
  /** How long the last run took. */
  milliseconds: number;
  /** Where that was less, a run is made in place. */
  readonly shortMilliseconds: number;
}

async function runOnce(
  open: OpenSession,
  feeds: RuntimeTensors,
  fetches: Fetches,
  signal: AbortSignal | undefined,
): Promise<RuntimeTensors> {
  const { library, inputNames } = open;
  const wanted: (readonly [string, OrtTensor | null])[] = Array.isArray(fetches)
    ? fetches.map((name: string) => [name, null] as const)
    : Object.entries(fetches as Readonly<Record<string, OrtTensor | null>>);
  // What the run reads and writes, and the handles on it: held here until it is over.
  const memory: { readonly data: NodeJS.TypedArray; readonly bytes: number }[] = [];
  const handles: bigint[] = [];
  const handleOn = (tensor: OrtTensor) => {
    const onCard = cardMemoryOf(tensor);
    const data = onCard ?? (tensor.data as NodeJS.TypedArray);
    if ('buffer' in data) memory.push({ data, bytes: data.byteLength });
    const handle = valueOver(library, tensor, data);
    handles.push(handle);
    return handle;
  };
  const outputs = new BigUint64Array(wanted.length);
  try {
    const inputs = BigUint64Array.from(inputNames, (name) => handleOn(tensorOf(feeds, name)));
    for (const [index, [, tensor]] of wanted.entries()) if (tensor) outputs[index] = handleOn(tensor);
    const began = performance.now();
    const names = wanted.map(([name]) => name);
    if (open.kept.size > 0) outputs.set(await runKeeping(open, inputs, names));
    else await runPlainly(open, inputs, names, outputs, signal);
    open.milliseconds = performance.now() - began;
    if (memory.some(({ data, bytes }) => data.byteLength !== bytes)) {
      throw new Error('what a run reads was handed to somebody else before its end');
    }
    const results: Record<string, OrtTensor> = {};
    for (const [index, [name, tensor]] of wanted.entries()) {
      const handle = outputs[index] ?? 0n;
      if (!open.kept.has(name)) results[name] = tensor ?? copyOf(library, handle);
      else {
        results[name] = tensorOnCard(library, handle);
        // It is the tensor's from here on.
        outputs[index] = 0n;
      }
    }
    return results;
  } finally {
    for (const handle of new Set([...handles, ...outputs])) if (handle !== 0n) library.release('ReleaseValue', handle);
    memory.length = 0;
  }
}

/** A run whose outputs come into ordinary memory: into what `outputs` has handles on, else made by ONNX Runtime, as handles. */
async function runPlainly(
  open: OpenSession,
  inputs: BigUint64Array,
  wanted: readonly string[],
  outputs: BigUint64Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { library, session, inputNames, milliseconds, shortMilliseconds } = open;
  const names = [namesFor(open, inputNames), namesFor(open, wanted)] as const;
  const counts = [inputNames.length, wanted.length] as const;
  const args = [names[0], inputs, counts[0], names[1], counts[1], outputs] as const;
  if (milliseconds < shortMilliseconds) library.call('Run', session, null, ...args);
  else if (!signal || milliseconds < library.longMilliseconds) await library.callAside('Run', session, null, ...args);
  else await runUntil(signal, library, session, args);
}

/** A run in another thread that `signal` ends before its time. */
async function runUntil(
  signal: AbortSignal,
  library: Library,
  session: bigint,
  args: readonly (BigUint64Array | number)[],
): Promise<void> {
  signal.throwIfAborted();
  const options = library.made('CreateRunOptions');
  const end = () => library.call('RunOptionsSetTerminate', options);
  signal.addEventListener('abort', end);
  try {
    await library.callAside('Run', session, options, ...args);
  } catch (error) {
    // ONNX Runtime says only that it was told to.
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
    library.release('ReleaseRunOptions', options);
  }
}

/** A run whose kept outputs are made on the card. Gives handles on all outputs. */
function runKeeping(open: OpenSession, inputs: BigUint64Array, wanted: readonly string[]): Promise<readonly bigint[]> {
  const { library, session, inputNames, kept } = open;
  const { card = library.memoryInfo, memoryInfo } = library;
  return runBound(
    library,
    session,
    inputNames.map((name, index) => ({ name: textFor(open, name), value: inputs[index] ?? 0n })),
    wanted.map((name) => ({ name: textFor(open, name), memory: kept.has(name) ? card : memoryInfo })),
  );
}

function tensorOf(feeds: RuntimeTensors, name: string): OrtTensor {
  const tensor = feeds[name];
  if (!tensor) throw new Error(`nothing feeds ${name}`);
  return tensor;
}

function textFor({ texts }: OpenSession, name: string): Uint8Array {
  const text = texts.get(name) ?? zeroEnded(name);
  texts.set(name, text);
  return text;
}

function namesFor(open: OpenSession, names: readonly string[]): BigUint64Array {
  return BigUint64Array.from(names, (name) => open.library.addressOf(textFor(open, name)));
}

/** A path as this system's library takes it. */
function pathText(path: string): Uint8Array {
  return process.platform === 'win32' ? new Uint8Array(Buffer.from(`${path}\0`, 'utf16le')) : zeroEnded(path);
}

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { loadKoffi } from '../../../native/koffi.ts';
import { engineVersion } from '../../engineVersion.ts';
import { fatalOnly, loadRuntime } from '../loadRuntime.ts';
import {
  apiVersion,
  baseTable,
  getErrorMessage,
  ordinaryMemory,
  releaseFunctions,
  statusFunctions,
} from './functions.ts';

type StatusFunction = keyof typeof statusFunctions;
type ReleaseFunction = keyof typeof releaseFunctions;
/** An address, a number, a text, or memory whose address is taken. */
type Argument = bigint | number | string | null | NodeJS.TypedArray;

/** ONNX Runtime's C API. Handles are addresses; each is released once, by whoever has it. */
export interface Library {
  /** Throws an `Error` with ONNX Runtime's message. */
  readonly call: (name: StatusFunction, ...args: readonly Argument[]) => void;
  /** Calls a function whose last parameter takes what it makes: returns that. */
  readonly made: (name: StatusFunction, ...args: readonly Argument[]) => bigint;
  /** Calls a function in another thread. What lies behind addresses has to be kept until the promise has settled. */
  readonly callAside: (name: StatusFunction, ...args: readonly Argument[]) => Promise<void>;
  /** Whether a call in another thread is under way. */
  readonly isCalled: () => boolean;
  readonly release: (name: ReleaseFunction, handle: bigint) => void;
  readonly addressOf: (memory: NodeJS.TypedArray) => bigint;
  /** A text that ends with a zero byte. */
  readonly textAt: (address: bigint) => string;
  /** A copy of so many values from an address on. */
  readonly copyOf: (
    address: bigint,
    type: 'float' | 'double' | 'int8' | 'uint8' | 'int32' | 'int64' | 'uint64',
    count: number,
  ) => NodeJS.TypedArray;
  readonly environment: bigint;
  /** Where our tensors are: ordinary memory. */
  readonly memoryInfo: bigint;
  /** Where the outputs that a session keeps stay: a card's memory. Undefined where nothing is kept. */
  readonly card?: bigint;
  readonly allocator: bigint;
  /** A session whose last run was shorter than this runs in place: another thread's turn takes a tenth of a millisecond. */
  readonly shortMilliseconds: number;
  /** Of a session whose last run was longer, a run can be ended before its time. The work of a shorter one is worth its end. */
  readonly longMilliseconds: number;
}

const files: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

interface ApiCall {
  (...args: readonly Argument[]): unknown;
  /** The last argument is called with an error of koffi's, or with the result. */
  async(...args: readonly unknown[]): void;
}

let opened: Library | undefined;

/**
 * The library that onnxruntime-node brings, called without its binding. Opened once a process, for good. Throws where it or
 * what calls it does not load, or where it is of another version than the package.
 */
export function openLibrary(): Library {
  return (opened ??= openLibraryFile(packagedLibrary()));
}

function packagedLibrary(): string {
  const file = files[process.platform];
  if (file === undefined) throw new Error(`ONNX Runtime has no library for ${process.platform}`);
  const folder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  return join(folder, 'bin', 'napi-v6', process.platform, process.arch, file);
}

/** A file with ONNX Runtime, opened for good. Throws as `openLibrary` does. */
export function openLibraryFile(path: string): Library {
  // The binding loads its library itself, and both have to be the same.
  loadRuntime();
  const koffi = loadKoffi();
  const library = koffi.load(path);
  const base = (library.func('OrtGetApiBase', 'void *', []) as () => bigint)();

  const pointerBytes = koffi.sizeof('void *');
  const functionAt = (table: bigint, place: number, result: string, takes: readonly string[]) =>
    koffi.decode(koffi.decode(table, place * pointerBytes, 'void *'), koffi.proto(result, [...takes])) as ApiCall;

  const version = functionAt(base, baseTable.GetVersionString, 'str', [])();
  if (version !== engineVersion('onnx')) throw new Error(`the library is of version ${String(version)}`);
  const api = functionAt(base, baseTable.GetApi, 'void *', ['uint32_t'])(apiVersion) as bigint | null;
  if (api === null) throw new Error(`the library has no version ${apiVersion} of its C API`);

  const types = { pointer: 'void *', text: 'str', int: 'int', size: 'size_t' };
  const entries = Object.entries(statusFunctions).map(([name, { place, takes }]) => {
    return [name, functionAt(api, place, 'void *', takes.map((type) => types[type]))] as const; // prettier-ignore
  });
  const functions = Object.fromEntries(entries) as Record<StatusFunction, ApiCall>;
  const releases = Object.fromEntries(
    Object.entries(releaseFunctions).map(([name, place]) => [name, functionAt(api, place, 'void', ['void *'])]),
  ) as Record<ReleaseFunction, ApiCall>;
  const messageOfStatus = functionAt(api, getErrorMessage, 'str', ['void *']);

  const check = (status: unknown) => {
    if (status === null) return;
    const message = messageOfStatus(status as bigint);
    releases.ReleaseStatus(status as bigint);
    throw new Error(String(message));
  };
  // koffi would be free to copy memory that it is given itself.
  const addressed = (args: readonly Argument[]) =>
    args.map((arg) => (typeof arg === 'object' && arg !== null ? koffi.address(arg) : arg));
  const call: Library['call'] = (name, ...args) => check(functions[name](...addressed(args)));
  const made: Library['made'] = (name, ...args) => {
    const result = new BigUint64Array(1);
    call(name, ...args, result);
    return result[0] ?? 0n;
  };
  let calls = 0;
  return {
    call,
    made,
    isCalled: () => calls > 0,
    callAside: async (name, ...args) => {
      const held = [...args];
      calls++;
      const status = await new Promise((resolve, reject) => {
        functions[name].async(...addressed(args), (error: Error | null, result: unknown) => {
          held.length = 0;
          calls--;
          if (error) reject(error);
          else resolve(result);
        });
      });
      check(status);
    },
    release: (name, handle) => void releases[name](handle),
    addressOf: (memory) => koffi.address(memory),
    textAt: (address) => koffi.decode.string(address),
    copyOf: (address, type, count) => koffi.decode(address, type, count) as NodeJS.TypedArray,
    environment: made('CreateEnv', fatalOnly, 'fivecrop'),
    memoryInfo: made('CreateCpuMemoryInfo', ordinaryMemory.allocator, ordinaryMemory.memory),
    allocator: made('GetAllocatorWithDefaultOptions'),
    shortMilliseconds: 20,
    longMilliseconds: 1000,
  };
}

import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { messageOf } from '../../../../protocol/errors.ts';
import { elementCount } from '../../../graph/tensor.ts';
import { trimMemory } from '../../../native/trimMemory.ts';
import { type OnnxGraph, onnxNumber, type OnnxValueInfo } from '../../../onnx/onnxModel.ts';
import { elementTypes, type releaseFunctions } from '../capi/functions.ts';
import type { Library } from '../capi/library.ts';
import { allocate, type ElementType, zeroEnded } from '../capi/memory.ts';
import { type LibrarySessionOptions, openSession } from '../capi/session.ts';
import { cardMemoryOf, elementTypeOfCode, tensorAt, valueOver } from '../capi/values.ts';
import { loadRuntime } from '../loadRuntime.ts';
import type { RuntimeTensors, Session } from '../sessionTypes.ts';
import { isCompared, largestDifference, largestValue, movedShare, timesAsFar, toldShare } from './replayCheck.ts';

/** What a session has to know of a step whose commands it records. */
export interface Replay {
  /** The inputs and outputs of the model, all of known shape. */
  readonly graph: Pick<OnnxGraph, 'input' | 'output'>;
  /** The state: of each output that is the successor of an input, that input. */
  readonly predecessors: ReadonlyMap<string, string>;
  /** Hears, at most once, why steps are not replayed, or not any more: a clause. */
  readonly refused: (reason: string) => void;
}

/** A value on the card, which is there for as long as the session. */
interface Bound {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly handle: bigint;
  readonly address: bigint;
}

/** Tells the provider to run a step whatever it has recorded (`gpu_graph_id` of `onnxruntime_run_options_config_keys.h`). */
const withoutRecord = ['gpu_graph_id', '-1'] as const;
/** What the provider names the record of runs that name none. */
const record = 0;

/**
 * A session on WebGPU that records the commands of a step and replays them: one call for all operators, each of which costs the
 * processor time. What a replay reads and writes stays where it was when it was recorded, so all that goes in is copied into the
 * session's own memory on the card. The successors of a state are copied over it once the step has succeeded, and are given as
 * tensors over that memory, which the next run moves on. The first replays, and some of the later ones, are compared with
 * runs of the same step; where they differ by more than runs do, steps are run from then on.
 */
export async function replayedSession(
  library: Library,
  model: Uint8Array,
  options: LibrarySessionOptions,
  replay: Replay,
): Promise<Session> {
  const session = await openSession(library, model, options);
  trimMemory();
  const owned = ownHandles(library);
  owned.own('ReleaseSession', session);
  try {
    return boundSession(library, session, owned, replay);
  } catch (error) {
    owned.release();
    throw error;
  }
}

type Owned = ReturnType<typeof ownHandles>;

/** Handles that are released together, the last one first. */
function ownHandles({ release }: Library) {
  const handles: (readonly [keyof typeof releaseFunctions, bigint])[] = [];
  return {
    own: (name: keyof typeof releaseFunctions, handle: bigint) => {
      handles.push([name, handle]);
      return handle;
    },
    release: () => {
      for (const [name, handle] of handles.splice(0).reverse()) release(name, handle);
    },
  };
}

function boundSession(
  library: Library,
  session: bigint,
  owned: Owned,
  { graph, predecessors, refused }: Replay,
): Session {
  const { call, made } = library;
  const allocator = owned.own('ReleaseAllocator', made('CreateAllocator', session, library.card ?? 0n));
  const bind = (value: OnnxValueInfo) => boundValue(library, owned, allocator, value);
  const inputs = new Map(graph.input.map((value) => [value.name, bind(value)]));
  const outputs = new Map(graph.output.map((value) => [value.name, bind(value)]));
  const moved = [...predecessors].map(([to, from]) => [found(outputs, to), found(inputs, from)] as const);

  const binding = owned.own('ReleaseIoBinding', made('CreateIoBinding', session));
  for (const { name, handle } of inputs.values()) call('BindInput', binding, zeroEnded(name), handle);
  for (const { name, handle } of outputs.values()) call('BindOutput', binding, zeroEnded(name), handle);
  const plainly = owned.own('ReleaseRunOptions', made('CreateRunOptions'));
  call('AddRunConfigEntry', plainly, ...withoutRecord);

  const step: BoundStep = {
    library,
    outputs: [...outputs.values()].map((value) => ({ value, before: inputs.get(predecessors.get(value.name) ?? '') })),
    run: () => call('RunWithBinding', session, plainly, binding),
    replay: () => call('RunWithBinding', session, null, binding),
    forget: () => call('SessionReleaseCapturedGraph', session, record),
  };
  const take = replaysOf(step, refused);

  let isOpen = true;
  return {
    inputNames: [...inputs.keys()],
    outputNames: [...outputs.keys()],
    run: async (feeds, fetches) => {
      if (!isOpen) throw new Error('the session has been released');
      write(library, inputs.values(), feeds);
      take();
      const wanted = Array.isArray(fetches) ? (fetches as readonly string[]) : Object.keys(fetches);
      const told = wanted.filter((name) => !predecessors.has(name)).map((name) => read(library, found(outputs, name)));
      copy(
        library,
        moved.map(([from, to]) => [from.handle, to.handle]),
      );
      const results = new Map(told.map(({ name, tensor }) => [name, tensor]));
      for (const [{ name, dims }, { address }] of moved) results.set(name, tensorAt(address, dims));
      return Promise.resolve(Object.fromEntries(results));
    },
    release: async () => {
      isOpen = false;
      owned.release();
      return Promise.resolve();
    },
  };
}

function found(values: ReadonlyMap<string, Bound>, name: string): Bound {
  const value = values.get(name);
  if (!value) throw new Error(`the step has no ${name}`);
  return value;
}

function boundValue(library: Library, owned: Owned, allocator: bigint, { name, type }: OnnxValueInfo): Bound {
  const { elemType, shape } = type?.tensorType ?? {};
  const elementType = elementTypeOfCode(elemType);
  const dims = (shape?.dim ?? []).map(({ dimValue }) => onnxNumber(dimValue));
  const sizes = BigInt64Array.from(dims, BigInt);
  const handle = library.made('CreateTensorAsOrtValue', allocator, sizes, sizes.length, elementTypes[elementType]);
  owned.own('ReleaseValue', handle);
  return { name, type: elementType, dims, handle, address: library.made('GetTensorMutableData', handle) };
}

/** A value, and another that it is copied into. */
type Pair = readonly [from: bigint, to: bigint];

/** Copies values into others; those of a side all lie on the card, or all in ordinary memory. */
function copy({ call, environment }: Library, pairs: readonly Pair[]): void {
  if (pairs.length === 0) return;
  const [from, to] = [0, 1].map((side) => BigUint64Array.from(pairs, (pair) => pair[side] ?? 0n));
  call('CopyTensors', environment, from ?? null, to ?? null, null, pairs.length);
}

/** Brings what a step is fed into the memory that it reads. */
function write(library: Library, inputs: Iterable<Bound>, feeds: RuntimeTensors): void {
  const [onCard, elsewhere]: [Pair[], Pair[]] = [[], []];
  try {
    for (const { name, type, dims, handle, address } of inputs) {
      const tensor = feeds[name];
      if (!tensor) throw new Error(`nothing feeds ${name}`);
      if (tensor.type !== type || tensor.size !== elementCount(dims)) {
        throw new Error(
          `${name} is ${tensor.type} of ${tensor.size} values, and the step takes ${type} [${dims.join()}]`,
        );
      }
      const place = cardMemoryOf(tensor);
      if (place?.address === address) continue;
      const value = valueOver(library, tensor, place ?? (tensor.data as NodeJS.TypedArray));
      (place ? onCard : elsewhere).push([value, handle]);
    }
    copy(library, onCard);
    copy(library, elsewhere);
  } finally {
    for (const [value] of [...onCard, ...elsewhere]) library.release('ReleaseValue', value);
  }
}

/** A copy of a value in ordinary memory. */
function read(library: Library, value: Bound) {
  const { name, handle } = value;
  const tensor = tensorFor(library, value);
  withValue(library, tensor, (copied) => copy(library, [[handle, copied]]));
  return { name, tensor };
}

/** A tensor in ordinary memory that a value fits into. */
function tensorFor(library: Library, { type, dims }: Bound): OrtTensor {
  return new (loadRuntime().Tensor)(type, allocate(library, type, elementCount(dims)) as Float32Array, dims);
}

/** Calls `use` with a handle on a tensor in ordinary memory. */
function withValue(library: Library, tensor: OrtTensor, use: (value: bigint) => void): void {
  const value = valueOver(library, tensor, tensor.data as NodeJS.TypedArray);
  try {
    use(value);
  } finally {
    library.release('ReleaseValue', value);
  }
}

/** Writes over a result: over a successor what it succeeds, over all else what is no number. */
function spoil(library: Library, value: Bound, before: Bound | undefined): void {
  if (before) {
    copy(library, [[before.handle, value.handle]]);
    return;
  }
  const nothing = tensorFor(library, value);
  (nothing.data as Float32Array).fill(Number.NaN);
  withValue(library, nothing, (from) => copy(library, [[from, value.handle]]));
}

/** A step that can be run and replayed, over the same memory. */
interface BoundStep {
  readonly library: Library;
  /** What it gives; of a successor, what it succeeds. */
  readonly outputs: readonly { readonly value: Bound; readonly before: Bound | undefined }[];
  readonly run: () => void;
  readonly replay: () => void;
  /** Gives back what the record holds of the card's memory. */
  readonly forget: () => void;
}

/** Takes a step each time that it is called: by a replay, until one has failed or was wrong. */
function replaysOf(step: BoundStep, refused: Replay['refused']): () => void {
  let [replays, unseen, isTrusted] = [0, 0, true];
  const refuse = (reason: string) => {
    isTrusted = false;
    try {
      step.forget();
    } catch {
      // There is none where it could not be made.
    }
    refused(unseen > 0 ? `${reason}; the ${unseen} steps before it were not compared and may be wrong` : reason);
  };
  return () => {
    if (!isTrusted) {
      step.run();
      return;
    }
    replays++;
    if (isCompared(replays)) {
      const fault = compared(step);
      if (fault !== undefined) refuse(fault);
      else unseen = 0;
      return;
    }
    try {
      step.replay();
      unseen++;
    } catch (error) {
      refuse(messageOf(error));
      step.run();
    }
  };
}

/** Runs a step, twice, and replays it; says what is wrong with the replay, and leaves the results of the run then. */
function compared({ library, outputs, run, replay }: BoundStep): string | undefined {
  const valuesOf = (value: Bound) => read(library, value).tensor.data as Float32Array;
  run();
  const expected = outputs.map(({ value }) => valuesOf(value));
  run();
  const noise = outputs.map(({ value }, at) => largestDifference(valuesOf(value), expected[at] ?? []));
  const fault = (): string | undefined => {
    for (const [at, { value, before }] of outputs.entries()) {
      const right = expected[at] ?? [];
      const scale = before ? movedShare * largestDifference(valuesOf(before), right) : toldShare * largestValue(right);
      const allowed = timesAsFar * (noise[at] ?? 0) + scale;
      const difference = largestDifference(valuesOf(value), right);
      if (difference > allowed)
        return `a replay differs from a run in ${before?.name ?? value.name} by ${difference}, of which ${allowed} was allowed`;
    }
    return undefined;
  };
  let reason: string | undefined;
  try {
    // What a replay does not write must not pass for right because the runs have.
    for (const { value, before } of outputs) spoil(library, value, before);
    replay();
    reason = fault();
  } catch (error) {
    reason = messageOf(error);
  }
  if (reason !== undefined) run();
  return reason;
}

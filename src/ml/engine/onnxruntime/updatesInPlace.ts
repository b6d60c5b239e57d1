import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { groupOf, momentNames, type Optimizer } from '../../operators/optimizer/optimizer.ts';
import { accumulatorName } from '../../passes/trainingStep.ts';

/**
 * Updates of parameters where these and their moments are, in one pass over them: as the operators of
 * `operators/optimizer` compute them, to the last bit, which need a dozen passes and memory for what replaces the old.
 */
export interface UpdatesInPlace {
  /** The row of a parameter, a moment, or the gradient that `accumulatorName` names; undefined for all else. */
  readonly rowOf: (name: string) => Float32Array<ArrayBuffer> | undefined;
  /**
   * Moves all parameters and moments by gradients, which are copied into their rows unless they are there; `figures` are those
   * of `schedule`. Lets the event loop have its turn now and then.
   */
  readonly move: (gradients: (name: string) => Float32Array | undefined, figures: readonly number[]) => Promise<void>;
}

/** What `kernels/updates.ts` exports; its comments say what the arguments mean. */
interface Kernels {
  adam(
    parameter: number,
    gradient: number,
    first: number,
    second: number,
    average: number,
    count: number,
    beta1: number,
    other1: number,
    beta2: number,
    other2: number,
    epsilon: number,
    decay: number,
    shrink: number,
    rate: number,
    rootScale: number,
    kept: number,
  ): void;
  sgd(
    parameter: number,
    gradient: number,
    buffer: number,
    average: number,
    count: number,
    momentum: number,
    decay: number,
    rate: number,
    kept: number,
  ): void;
}

/** Written by the build; the sources find it there too. */
const file = new URL(
  import.meta.url.endsWith('.ts') ? '../../../../dist/ml/updates.wasm' : './updates.wasm',
  import.meta.url,
);

const pageBytes = 65536;
/** What a memory of WebAssembly can have. */
const mostPages = 65536;
/** Rows begin where a line of the processor's cache does, and none at 0, which stands for none. */
const alignment = 64;

interface Row {
  readonly place: number;
  readonly values: Float32Array<ArrayBuffer>;
}

/**
 * Rows for parameters with so many elements, their gradients and moments. `undefined` where they take more than WebAssembly can
 * address, 4 GiB: with Adam more than 268 million parameters.
 */
export function createUpdatesInPlace(
  parameters: ReadonlyMap<string, number>,
  optimizer: Optimizer,
): UpdatesInPlace | undefined {
  const named = [...parameters].flatMap(([parameter, elements]) =>
    namesOf(parameter, optimizer).map((name) => [name, elements] as const),
  );
  let end = alignment;
  const places = named.map(([, elements]) => {
    const place = end;
    end = Math.ceil((place + elements * Float32Array.BYTES_PER_ELEMENT) / alignment) * alignment;
    return place;
  });
  const pages = Math.ceil(end / pageBytes);
  if (pages > mostPages) return undefined;
  const memory = new WebAssembly.Memory({ initial: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), { env: { memory } });
  const kernels = exports as Kernels;
  const rows = new Map<string, Row>(
    named.map(([name, elements], index) => {
      const place = places[index] ?? 0;
      return [name, { place, values: new Float32Array(memory.buffer, place, elements) }];
    }),
  );
  const moved = Array.from(parameters, ([parameter, elements]) => ({
    elements,
    gradient: accumulatorName(parameter),
    own: namesOf(parameter, optimizer).map((name) => rows.get(name)?.place ?? 0),
    at: 4 * groupOf(optimizer, parameter).index,
  }));
  return {
    rowOf: (name) => rows.get(name)?.values,
    move: async (gradients, figures) => {
      let began = performance.now();
      for (const { elements, gradient, own, at } of moved) {
        bring(gradients(gradient), rows.get(gradient)?.values);
        const group = figures.slice(at, at + 4).map(Math.fround);
        for (let from = 0; from < elements; from += elementsAtOnce) {
          const count = Math.min(elementsAtOnce, elements - from);
          moveRow(kernels, optimizer, own.map((place) => place + from * Float32Array.BYTES_PER_ELEMENT), count, group); // prettier-ignore
          if (performance.now() - began < millisecondsAtOnce) continue;
          await setImmediate();
          began = performance.now();
        }
      }
    },
  };
}

/** A million elements take one or two milliseconds; the event loop waits for this long at most, or a little longer. */
const [elementsAtOnce, millisecondsAtOnce] = [2 ** 20, 10];

/** Parameter, gradient, moments, and the average if there is one. */
function namesOf(parameter: string, optimizer: Optimizer): readonly string[] {
  return [parameter, accumulatorName(parameter), ...momentNames(optimizer, parameter)];
}

/** Copies a gradient into its row. One value can be the gradient of two parameters, and is in the row of one of them. */
function bring(gradient: Float32Array | undefined, row: Float32Array | undefined): void {
  if (!gradient || !row) throw new Error('a step without the gradient of a parameter');
  if (gradient.buffer !== row.buffer || gradient.byteOffset !== row.byteOffset) row.set(gradient);
}

/** Moves a stretch of a parameter; `places` are those of `namesOf`. */
function moveRow(
  kernels: Kernels,
  optimizer: Optimizer,
  places: readonly number[],
  count: number,
  [rate = 0, second = 0, decayRate = 0, kept = 0]: readonly number[],
): void {
  const { weightDecay } = optimizer;
  if (optimizer.kind === 'sgd') {
    const [parameter = 0, gradient = 0, buffer = 0, average = 0] = places;
    kernels.sgd(parameter, gradient, buffer, average, count, second, weightDecay, rate, kept);
    return;
  }
  const { kind, beta1, beta2, epsilon } = optimizer;
  const [parameter = 0, gradient = 0, first = 0, squares = 0, average = 0] = places;
  const [decay, shrink] = kind === 'adamw' ? [0, decayRate * Math.fround(weightDecay)] : [weightDecay, 0];
  const betas = [beta1, 1 - beta1, beta2, 1 - beta2] as const;
  kernels.adam(
    parameter,
    gradient,
    first,
    squares,
    average,
    count,
    ...betas,
    epsilon,
    decay,
    shrink,
    rate,
    second,
    kept,
  );
}

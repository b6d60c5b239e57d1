import { userError } from '../../protocol/errors.ts';
import { someOf } from '../../protocol/someOf.ts';
import { elementCount, type StateDict, type Tensor } from '../graph/tensor.ts';
import type { LearnedPositions } from '../networks/family.ts';
import type { StateShapes } from '../networks/stateShapes.ts';
import { resamplePositions, sidesOf } from './resamplePositions.ts';

/** What a file says of its tensors before they are read. */
export type TensorForms = ReadonlyMap<string, Pick<Tensor, 'dtype' | 'shape'>>;

export interface ApplyOptions {
  /** Module whose tensors are neither needed nor missed, on both sides: the classifier that a head replaces. */
  readonly ignore?: string;
  /** Names of tensors that the file may hold beside the network's. */
  readonly extra?: RegExp | undefined;
  /** The tensor that may be of another grid of patches: its positions are then resampled. */
  readonly positions?: LearnedPositions | undefined;
  /** What the weights and the network are called in the sentence that says why they do not fit. */
  readonly source?: string;
  readonly network?: string;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Old files lack the counter and some hold it as another type; it changes nothing that this program computes. */
function counter(tensor: Tensor | undefined): Tensor {
  return tensor?.dtype === 'int64' && tensor.data.length === 1
    ? { ...tensor, shape: [] }
    : { dtype: 'int64', shape: [], data: new BigInt64Array(1) };
}

function isCounter(name: string): boolean {
  return name.endsWith('.num_batches_tracked');
}

/**
 * Names of the tensors that a network needs of a file, in the network's order. Throws a user error where tensors are
 * missing, have another shape or type, or are there without being needed: then the file belongs to another network.
 */
export function fittingNames(shapes: StateShapes, forms: TensorForms, options: ApplyOptions = {}): string[] {
  const { ignore, extra, positions, source = 'The weights', network = 'the network' } = options;
  const ignored = (name: string) => ignore !== undefined && name.startsWith(`${ignore}.`);
  const fitting: string[] = [];
  const missing: string[] = [];
  const different: string[] = [];
  for (const [name, shape] of shapes) {
    if (ignored(name)) continue;
    const form = forms.get(name);
    if (isCounter(name)) {
      if (form && elementCount(form.shape) === 1) fitting.push(name);
    } else if (!form) missing.push(name);
    else if (form.dtype !== 'float32') different.push(`${name} (${form.dtype} instead of float32)`);
    else if (!sameShape(form.shape, shape) && !(positions?.tensor === name && sidesOf(form.shape, shape, positions))) {
      different.push(`${name} ([${form.shape.join(', ')}] instead of [${shape.join(', ')}])`);
    } else fitting.push(name);
  }
  const unexpected = [...forms.keys()].filter(
    (name) => !shapes.has(name) && !ignored(name) && !isCounter(name) && extra?.test(name) !== true,
  );
  const complaints = [
    missing.length > 0 && `lacks ${missing.length} tensors (${someOf(missing)})`,
    different.length > 0 && `has ${different.length} in another form (${someOf(different)})`,
    unexpected.length > 0 && `has ${unexpected.length} that are not part of it (${someOf(unexpected)})`,
  ].filter((complaint) => complaint !== false);
  if (complaints.length > 0) {
    throw userError(
      `${source} cannot be used for ${network}: the file ${complaints.join('; ')}. Give the weights of the same network.`,
    );
  }
  return fitting;
}

/**
 * The tensors of `state` that a network needs, in the network's order. Throws a user error as `fittingNames` does, and
 * where a weight is no finite number.
 */
export function applyWeights(shapes: StateShapes, state: StateDict, options: ApplyOptions = {}): StateDict {
  const { ignore, positions, source = 'The weights' } = options;
  const applied = new Map<string, Tensor>();
  const fitting = new Set(fittingNames(shapes, state, options));
  for (const [name, shape] of shapes) {
    const tensor = state.get(name);
    if (isCounter(name)) {
      if (ignore === undefined || !name.startsWith(`${ignore}.`)) applied.set(name, counter(tensor));
    } else if (tensor && fitting.has(name)) {
      refuseInfinite(source, name, tensor);
      const fits = positions?.tensor !== name || sameShape(tensor.shape, shape);
      applied.set(name, fits ? tensor : resamplePositions(tensor, shape, positions));
    }
  }
  return applied;
}

/** Throws a user error where a tensor holds NaN or an infinite number, as those of a diverged training do. */
export function refuseInfinite(source: string, name: string, { dtype, data }: Tensor): void {
  if (dtype !== 'float32') return;
  // NaN as soon as one is not finite; several times as fast as asking each.
  let zero = 0;
  for (const value of data) zero += value * 0;
  if (zero === 0) return;
  throw userError(
    `${source} holds numbers that are not finite (${name}), so nothing can be computed with it: use another file.`,
  );
}

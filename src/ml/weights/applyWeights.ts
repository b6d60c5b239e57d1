import { userError } from '../../protocol/errors.ts';
import type { StateDict, Tensor } from '../graph/tensor.ts';
import type { StateShapes } from './stateShapes.ts';

export interface ApplyOptions {
  /** Module whose tensors are neither needed nor missed, on both sides: the classifier that a head replaces. */
  readonly ignore?: string;
  /** What the weights and the network are called in the sentence that says why they do not fit. */
  readonly source?: string;
  readonly network?: string;
}

const namesShown = 3;

function shown(names: readonly string[]): string {
  const rest = names.length - namesShown;
  return `${names.slice(0, namesShown).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
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

/**
 * The tensors of `state` that a network needs, in the network's order. Throws a user error where tensors are missing,
 * have another shape or type, or are there without being needed: then the file belongs to another network.
 */
export function applyWeights(shapes: StateShapes, state: StateDict, options: ApplyOptions = {}): StateDict {
  const { ignore, source = 'The weights', network = 'the network' } = options;
  const ignored = (name: string) => ignore !== undefined && name.startsWith(`${ignore}.`);
  const applied = new Map<string, Tensor>();
  const missing: string[] = [];
  const different: string[] = [];
  for (const [name, shape] of shapes) {
    if (ignored(name)) continue;
    const tensor = state.get(name);
    if (name.endsWith('.num_batches_tracked')) applied.set(name, counter(tensor));
    else if (!tensor) missing.push(name);
    else if (tensor.dtype !== 'float32') different.push(`${name} (${tensor.dtype} instead of float32)`);
    else if (!sameShape(tensor.shape, shape)) {
      different.push(`${name} ([${tensor.shape.join(', ')}] instead of [${shape.join(', ')}])`);
    } else applied.set(name, tensor);
  }
  const unexpected = [...state.keys()].filter(
    (name) => !shapes.has(name) && !ignored(name) && !name.endsWith('.num_batches_tracked'),
  );
  const complaints = [
    missing.length > 0 && `lacks ${missing.length} tensors (${shown(missing)})`,
    different.length > 0 && `has ${different.length} in another form (${shown(different)})`,
    unexpected.length > 0 && `has ${unexpected.length} that are not part of it (${shown(unexpected)})`,
  ].filter((complaint) => complaint !== false);
  if (complaints.length > 0) {
    throw userError(
      `${source} cannot be used for ${network}: the file ${complaints.join('; ')}. Give the weights of the same network.`,
    );
  }
  return applied;
}

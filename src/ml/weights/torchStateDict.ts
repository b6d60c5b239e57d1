import { userError } from '../../protocol/errors.ts';
import type { StateDict } from '../graph/tensor.ts';
import type { TensorForms } from './applyWeights.ts';
import { tensorTypes } from './elementTypes.ts';
import { isTorchTensor, type TorchFile, type TorchTensor, type TorchValue, withTorchFile } from './torchFile.ts';

/**
 * Keys under which training scripts commonly keep the weights. Averages of them, as torchvision's and timm's scripts keep
 * beside them, are taken only where nothing else is there.
 */
const wrappers = ['state_dict', 'model_state_dict', 'model', 'net', 'model_ema', 'state_dict_ema'] as const;
const maximumWrapping = 4;
/** What DataParallel, torch.compile and modules around a network, such as Lightning's, put before every name. */
const prefixes = ['module.', '_orig_mod.', 'model.', 'net.'] as const;
/** Counts what torch's `AveragedModel` has averaged; beside the network's tensors, without their prefix. */
const averagesCounter = 'n_averaged';
/** torchvision's first DenseNets: `denselayer1.norm.1.weight`, which later became `denselayer1.norm1.weight`. */
const oldDenseNetName = /^(.*\bdenselayer\d+\.(?:norm|conv))\.([12]\..+)$/;

function tensorsOf(value: TorchValue): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  if (!(value instanceof Map)) return tensors;
  for (const [name, tensor] of value) if (typeof name === 'string' && isTorchTensor(tensor)) tensors.set(name, tensor);
  return tensors;
}

/** The container that holds the weights: the value itself, or what lies in it under a wrapper's key. */
function findWeights(value: TorchValue): Map<string, TorchTensor> {
  let current = value;
  for (let depth = 0; depth < maximumWrapping; depth++) {
    const tensors = tensorsOf(current);
    if (tensors.size > 0 || !(current instanceof Map)) return tensors;
    const container: Map<TorchValue, TorchValue> = current;
    const key = wrappers.find((wrapper) => container.get(wrapper) instanceof Map);
    if (!key) return tensors;
    current = container.get(key) ?? null;
  }
  return new Map();
}

/**
 * The names as torchvision gives them today, whoever wrote them: wrappers' prefixes and DenseNet's old names are undone.
 * A name that would come up twice stays as it was written.
 */
export function torchvisionNames<Value>(entries: ReadonlyMap<string, Value>): Map<string, Value> {
  const own = [...entries].filter(([name]) => name !== averagesCounter);
  let names = own.map(([name]) => name);
  for (let prefix; (prefix = prefixes.find((candidate) => names.every((name) => name.startsWith(candidate))));) {
    if (names.length === 0) break;
    const { length } = prefix;
    names = names.map((name) => name.slice(length));
  }
  const values = own.map(([, value]) => value);
  const named = new Map<string, Value>();
  names.forEach((name, index) => {
    const value = values[index];
    const today = name.replace(oldDenseNetName, '$1$2');
    if (value !== undefined) named.set(named.has(today) ? name : today, value);
  });
  return named;
}

/** Names of the tensors that are wanted of those that a file has. Throws where they are not what is wanted. */
export type ChooseTensors = (forms: TensorForms) => Iterable<string>;

export const chooseAll: ChooseTensors = (forms) => forms.keys();

/** The weights of an open file that `choose` wants, under torchvision's names. Throws a user error where it holds none. */
export async function loadWeights(file: TorchFile, choose = chooseAll): Promise<StateDict> {
  const tensors = torchvisionNames(findWeights(file.root));
  if (tensors.size === 0) {
    throw userError(
      `${file.path} holds no state dict: save one in Python with \`torch.save(model.state_dict(), path)\`.`,
    );
  }
  const forms = new Map(
    [...tensors].map(([name, { storage, shape }]) => [name, { dtype: tensorTypes[storage.type], shape }] as const),
  );
  const chosen = new Set(choose(forms));
  return file.load(new Map([...tensors].filter(([name]) => chosen.has(name))));
}

/**
 * The state dict in a file of torch's, `.pth` or `.pt` in either format: bare, or under one of the usual keys.
 * Throws a user error where there is none, and as `withTorchFile` and `choose` do.
 */
export function readTorchStateDict(path: string, choose = chooseAll): Promise<StateDict> {
  return withTorchFile(path, (file) => loadWeights(file, choose));
}

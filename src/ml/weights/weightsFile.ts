import { extname } from 'node:path';
import { usageError } from '../../protocol/errors.ts';
import type { StateDict } from '../graph/tensor.ts';
import { type ApplyOptions, applyWeights, fittingNames } from './applyWeights.ts';
import { readSafetensors } from './safetensors.ts';
import type { StateShapes } from '../networks/stateShapes.ts';
import { chooseAll, type ChooseTensors, readTorchStateDict, torchvisionNames } from './torchStateDict.ts';

const torchExtensions = ['.pth', '.pt', '.bin', '.tar'];

/**
 * The tensors, all or those that `choose` wants, of a `.safetensors` file or of one that `torch.save` wrote, under torchvision's names.
 * Throws a usage error for other extensions, and as `readSafetensors` and `readTorchStateDict` do.
 */
export async function loadWeightsFile(path: string, choose = chooseAll): Promise<StateDict> {
  const extension = extname(path).toLowerCase();
  if (extension === '.safetensors') return readSafetensorsWeights(path, choose);
  if (torchExtensions.includes(extension)) return readTorchStateDict(path, choose);
  throw usageError(`${path} is not a weights file: give a .safetensors, .pth or .pt file.`);
}

async function readSafetensorsWeights(path: string, choose: ChooseTensors): Promise<StateDict> {
  let names = new Map<string, string>();
  const { state } = await readSafetensors(path, (forms) => {
    const today = torchvisionNames(new Map([...forms].map(([written, form]) => [written, { written, form }])));
    names = new Map([...today].map(([name, { written }]) => [written, name]));
    const chosen = choose(new Map([...today].map(([name, { form }]) => [name, form])));
    return Array.from(chosen, (name) => today.get(name)?.written ?? name);
  });
  return new Map([...state].map(([written, tensor]) => [names.get(written) ?? written, tensor]));
}

/**
 * The tensors of a file that a network needs, in the network's order; what the file holds besides is not read. Throws a
 * user error where the file does not fit the network, and as `loadWeightsFile` and `applyWeights` do.
 */
export async function readWeights(
  path: string,
  shapes: StateShapes,
  options: Omit<ApplyOptions, 'source'>,
): Promise<StateDict> {
  const named = { ...options, source: path };
  return applyWeights(shapes, await loadWeightsFile(path, (forms) => fittingNames(shapes, forms, named)), named);
}

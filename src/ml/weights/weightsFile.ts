import { extname } from 'node:path';
import { usageError } from '../../protocol/errors.ts';
import type { StateDict } from '../graph/tensor.ts';
import { readSafetensors } from './safetensors.ts';
import { readTorchStateDict, torchvisionNames } from './torchStateDict.ts';

const torchExtensions = ['.pth', '.pt', '.bin', '.tar'];

/**
 * The state dict of a `.safetensors` file or of one that `torch.save` wrote, under torchvision's names. Throws a usage
 * error for other extensions, and as `readSafetensors` and `readTorchStateDict` do.
 */
export async function loadWeightsFile(path: string): Promise<StateDict> {
  const extension = extname(path).toLowerCase();
  if (extension === '.safetensors') return torchvisionNames((await readSafetensors(path)).state);
  if (torchExtensions.includes(extension)) return readTorchStateDict(path);
  throw usageError(`${path} is no file of weights: give a .safetensors, .pth or .pt file.`);
}

import { userError } from '../../protocol/errors.ts';
import { readUsableCheckpoint } from '../inference/usableCheckpoint.ts';
import { writeTorchFile } from '../weights/writeTorchFile.ts';

/**
 * Writes the weights of a checkpoint as a file of torch's: a state dict under torchvision's or timm's names. Throws as
 * `readUsableCheckpoint` does, and a user error where most of the network lies in an ONNX file or where
 * the weights are too large for the format.
 */
export async function exportStateDict(file: string, out: string): Promise<void> {
  const { metadata, state } = await readUsableCheckpoint(file);
  if (metadata.network.kind === 'backbone') {
    throw userError(
      `${file} has a head alone; its network is the ONNX file ${metadata.network.file}: export it as *.onnx, which holds both.`,
    );
  }
  try {
    await writeTorchFile(out, state);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw userError(`${file} cannot be written as *.pth: ${error.message}. Use the checkpoint itself.`, error);
  }
}

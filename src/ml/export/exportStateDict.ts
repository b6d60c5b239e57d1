import { cancelled, userError } from '../../protocol/errors.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import { readUsableCheckpoint } from '../inference/usableCheckpoint.ts';
import { mostTorchBytes, writeTorchFile } from '../weights/writeTorchFile.ts';
import { weightBytes } from './weightBytes.ts';

/**
 * Writes the weights of a checkpoint as a file of torch's: a state dict under torchvision's or timm's names. Throws as
 * `readUsableCheckpoint` does, and a user error where most of the network lies in an ONNX file or where
 * the weights are too large for the format, before any are read. Nothing is written once `signal` is aborted.
 */
export async function exportStateDict(file: string, out: string, signal?: AbortSignal): Promise<void> {
  const metadata = await readCheckpointMetadata(file);
  if (metadata.network.kind === 'backbone') {
    throw userError(
      `${file} has a head alone; its network is the ONNX file ${metadata.network.file}: export it as *.onnx, which holds both.`,
    );
  }
  const bytes = weightBytes(file, metadata);
  if (bytes > mostTorchBytes) {
    throw userError(
      `${file} cannot be written as *.pth, because its weights have ${(bytes / 1e9).toFixed(1)} GB and such a file has at most 4: use the checkpoint itself.`,
    );
  }
  const { state } = await readUsableCheckpoint(file);
  if (signal?.aborted === true) throw cancelled();
  await writeTorchFile(out, state);
}

import { extname, resolve } from 'node:path';
import { usageError } from '../../protocol/errors.ts';
import type { TrainingEvent } from '../../protocol/trainingEvents.ts';
import { writeAtomically } from '../../runs/atomicFile.ts';
import { checkpointPath } from '../../runs/checkpointPath.ts';
import { readEvents } from '../../runs/events.ts';
import { readStoredRun, type StoredRun } from '../../runs/list.ts';
import { exportOnnx } from '../inference/exportOnnx.ts';
import { networkNames } from '../networks/registry.ts';

/** A run by its folder: its record and its state. Throws a `UserError` where the folder is not what a run writes. */
export function readRun(folder: string): Promise<StoredRun> {
  return readStoredRun(resolve(folder));
}

/** The events of a run so far, in order: steps, validations, checkpoints. A run may be in progress. */
export async function* readRunEvents(folder: string): AsyncGenerator<TrainingEvent> {
  for await (const { events } of readEvents(resolve(folder))) yield* events;
}

/**
 * Writes a checkpoint, or the best one of a run, as an ONNX file for any ONNX Runtime, as `fivecrop export` does. Throws a
 * `UserError` for another ending than `.onnx` and for a network that does not fit into a file.
 */
export async function exportClassifier(checkpoint: string, file: string): Promise<void> {
  if (extname(file).toLowerCase() !== '.onnx') throw usageError(`${file}: the file to write must be named *.onnx.`);
  const bytes = await exportOnnx(checkpointPath(resolve(checkpoint)));
  await writeAtomically(file, (handle) => handle.writeFile(bytes));
}

/** The networks that can be trained by name: torchvision’s, those of timm that are listed, and the report’s ConvNets. */
export function listNetworks(): readonly string[] {
  return networkNames;
}

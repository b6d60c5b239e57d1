import { extname, resolve } from 'node:path';
import { usageError } from '../../protocol/errors.ts';
import type { TrainingEvent } from '../../protocol/trainingEvents.ts';
import { writeAtomically } from '../../runs/atomicFile.ts';
import { checkpointPath } from '../../runs/checkpointPath.ts';
import { readEvents } from '../../runs/events.ts';
import { readStoredRun, type StoredRun } from '../../runs/list.ts';
import type { ExportInput, ExportPrecision } from '../../protocol/exportFormat.ts';
import { exportCheckpoint } from '../export/exportCheckpoint.ts';
import { usualTests } from '../export/exportTests.ts';
import { networkNames } from '../networks/registry.ts';

/** A run by its folder: its record and its state. Throws a `UserError` where the folder is not what a run writes. */
export function readRun(folder: string): Promise<StoredRun> {
  return readStoredRun(resolve(folder));
}

/** The events of a run so far, in order: steps, validations, checkpoints. A run may be in progress. */
export async function* readRunEvents(folder: string): AsyncGenerator<TrainingEvent> {
  for await (const { events } of readEvents(resolve(folder))) yield* events;
}

export interface ExportOptions {
  /** What goes in: decoded pixels as `[H, W, 3]` (`hwc`, the default) or `[N, 3, H, W]` (`nchw`), or `normalized` images. */
  readonly input?: ExportInput;
  /** Crops of each image, 5 without it, where pixels go in. */
  readonly crops?: 1 | 5;
  /** Of the weights; below `float32` (the default) the accuracy is measured. */
  readonly precision?: ExportPrecision;
  /** Whether the test images in the file may be small copies of validation images, as they are without it. */
  readonly imagesOfData?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
  /** Hears what is to be known of the file. */
  readonly log?: (sentence: string) => void;
  /** Breaks off with a `CancelledError`. */
  readonly signal?: AbortSignal;
}

/**
 * Writes a checkpoint, or the best one of a run, as an ONNX file for any ONNX Runtime, as `fivecrop export` does, with test
 * images that `fivecrop verify` runs. Throws a `UserError` for another ending than `.onnx` and for a network that does not
 * fit into a file.
 */
export async function exportClassifier(checkpoint: string, file: string, options: ExportOptions = {}): Promise<void> {
  const { input = 'hwc', crops = 5, precision = 'float32', imagesOfData = true, onProgress, log, signal } = options;
  if (extname(file).toLowerCase() !== '.onnx') throw usageError(`${file}: the file to write must be named *.onnx.`);
  const { bytes } = await exportCheckpoint(checkpointPath(resolve(checkpoint)), {
    ...{ input, crops, precision, signal, onProgress, onNote: log },
    tests: { count: usualTests, ofData: imagesOfData },
  });
  await writeAtomically(file, (handle) => handle.writeFile(bytes));
}

/** The networks that can be trained by name: torchvision’s, those of timm that are listed, and the report’s ConvNets. */
export function listNetworks(): readonly string[] {
  return networkNames;
}

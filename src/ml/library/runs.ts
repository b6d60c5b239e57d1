import { resolve } from 'node:path';
import type { TrainingEvent } from '../../protocol/trainingEvents.ts';
import { readEvents } from '../../runs/events.ts';
import { readStoredRun, type StoredRun } from '../../runs/list.ts';
import { networkNames } from '../networks/registry.ts';

/** A run by its folder: its record and its state. Throws a `UserError` where the folder is not what a run writes. */
export function readRun(folder: string): Promise<StoredRun> {
  return readStoredRun(resolve(folder));
}

/** The events of a run so far, in order: steps, validations, checkpoints. A run may be in progress. */
export async function* readRunEvents(folder: string): AsyncGenerator<TrainingEvent> {
  for await (const { events } of readEvents(resolve(folder))) yield* events;
}

/** The networks that can be trained by name: torchvision’s, those of timm that are listed, and the report’s ConvNets. */
export function listNetworks(): readonly string[] {
  return networkNames;
}

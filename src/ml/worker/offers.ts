import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceOffer, NetworkOffer } from '../../protocol/serviceProtocol.ts';
import { listArchitectures, type Architecture } from '../architectures/registry.ts';
import { listDevices } from '../engine/chooseEngine.ts';
import { defaultWeightsFolder } from '../weights/pretrained.ts';
import { pretrainedWeights } from '../weights/pretrainedTable.ts';

const bytesPerMegabyte = 2 ** 20;

/** Every engine's devices with what the self-check found. Takes seconds where there are graphics cards to try. */
export async function offeredDevices(): Promise<DeviceOffer[]> {
  const devices = await listDevices({ checkAll: true });
  return devices.map(({ engine, name, available, detail, check }) => ({
    engine,
    name,
    available,
    detail,
    ...(check && 'secondsPerStep' in check ? { secondsPerStep: check.secondsPerStep } : {}),
  }));
}

/** Every network by name, with what is published of its pretrained weights and whether they lie in `weightsFolder`. */
export function offeredNetworks(weightsFolder = defaultWeightsFolder()): Promise<NetworkOffer[]> {
  return Promise.all(listArchitectures().map((architecture) => offerOf(architecture, weightsFolder)));
}

async function offerOf({ name, title, originalParameters }: Architecture, folder: string): Promise<NetworkOffer> {
  const weights = pretrainedWeights.find(({ architecture }) => architecture === name);
  const common = { name, title, parameters: originalParameters };
  if (!weights) return { ...common, weightsHere: false };
  const here = await Promise.all(weights.sources.map(({ file }) => exists(join(folder, file))));
  return {
    ...common,
    top1: weights.top1 / 100,
    weightsBytes: weights.sources[0]?.bytes ?? Math.round(weights.megabytes * bytesPerMegabyte),
    weightsHere: here.includes(true),
  };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

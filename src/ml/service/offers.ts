import type { DeviceOffer, NetworkOffer } from '../../protocol/serviceProtocol.ts';
import { countParameters, listNetworks } from '../networks/registry.ts';
import { listDevices, type ListOptions } from '../engine/chooseEngine.ts';
import { hasWeights, weightsBytes } from '../weights/pretrained.ts';

/** Every engine's devices with what the self-check found. Takes ten seconds and more. */
export async function offeredDevices(options: Pick<ListOptions, 'signal' | 'onProgress'>): Promise<DeviceOffer[]> {
  const devices = await listDevices({ ...options, checkAll: true });
  return devices.map(({ engine, name, available, detail, check, lacks }) => ({
    engine,
    name,
    available,
    detail,
    ...(lacks === undefined ? {} : { lacks }),
    ...(check && 'secondsPerStep' in check ? { secondsPerStep: check.secondsPerStep } : {}),
  }));
}

/** Every network by name, with what is published of its pretrained weights and whether they are at hand. */
export function offeredNetworks(weightsFolder?: string): NetworkOffer[] {
  const places = weightsFolder === undefined ? {} : { weightsFolder };
  return listNetworks().map(({ name, title, weights: [weights] }) => {
    const common = { name, title, parameters: countParameters(name).parameters };
    if (!weights) return { ...common, weightsHere: false };
    const weightsHere = hasWeights(weights, places);
    const top1 = weights.top1 === undefined ? {} : { top1: weights.top1 / 100 };
    return { ...common, ...top1, weightsBytes: weightsBytes(weights), weightsHere };
  });
}

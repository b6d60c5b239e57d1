import type { DeviceOffer } from '../../protocol/serviceProtocol.ts';
import { listDevices, type ListOptions } from '../engine/chooseEngine.ts';

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

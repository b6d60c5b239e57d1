import { availableParallelism, cpus } from 'node:os';
import { messageOf, userError } from '../../../protocol/errors.ts';
import type { Device } from '../engine.ts';
import { installedCuda } from './cuda/installedCuda.ts';
import { nvidiaDriver } from './cuda/nvidiaDriver.ts';
import { loadRuntime } from './loadRuntime.ts';

/** What each of the devices needs that are part of a build of ONNX Runtime, for those that are not there. */
const needs: Readonly<Record<string, string>> = {
  webgpu: 'needs a graphics driver with Vulkan (Linux), Metal (macOS) or Direct3D 12 (Windows)',
  dml: 'is part of Windows only',
  coreml: 'is part of macOS on Apple silicon only',
};

/**
 * The devices that ONNX Runtime could compute on. `available` here means that its provider is in the package, or, for CUDA,
 * installed; whether the hardware answers is what the self-check finds out, in a process of its own. NVIDIA's driver, which may
 * take seconds, is asked only where CUDA is wanted, or all are.
 */
export async function listOnnxDevices(wanted = 'cuda'): Promise<readonly Device[]> {
  return wanted === 'cuda' ? [...builtDevices(), await cudaDevice()] : builtDevices();
}

/** The CPU, and what is part of a build or not. */
function builtDevices(): readonly Device[] {
  try {
    const { listSupportedBackends } = loadRuntime();
    const built = new Set(listSupportedBackends().map(({ name }) => name));
    const cpu = `${cpus()[0]?.model ?? process.arch}, ${String(availableParallelism())} threads`;
    const others = Object.entries(needs).map(([name, need]): Device => {
      const available = built.has(name);
      const detail = available ? `in this package; ${need}` : `not in this package: ${need}`;
      return { engine: 'onnx', name, available, detail };
    });
    return [{ engine: 'onnx', name: 'cpu', available: true, detail: cpu }, ...others];
  } catch (error) {
    const detail = `ONNX Runtime does not load: ${messageOf(error)}`;
    return [{ engine: 'onnx', name: 'cpu', available: false, detail, lacks: 'onnxruntime' }];
  }
}

async function cudaDevice(): Promise<Device> {
  const cuda = { engine: 'onnx', name: 'cuda' } as const;
  const driver = await nvidiaDriver();
  if (!driver.usable) return { ...cuda, available: false, detail: driver.reason };
  if (installedCuda()) return { ...cuda, available: true, detail: driver.cards };
  return { ...cuda, available: false, detail: `${driver.cards}; ${notInstalled}`, lacks: 'cuda' };
}

const notInstalled = 'CUDA’s libraries are not installed';

/** Why a device is not there; undefined for one that is. */
function whyAbsent(name: string): string | undefined {
  if (name === 'cuda') return installedCuda() ? undefined : notInstalled;
  const device = builtDevices().find((known) => known.name === name);
  if (device === undefined) return 'it does not know one of that name';
  return device.available ? undefined : device.detail;
}

/**
 * ONNX Runtime computes on the CPU, without a word, where it does not know a provider; so names are checked before.
 * Throws a user error for a device that is not there.
 */
export function requireDevice(name: string): void {
  const reason = whyAbsent(name);
  if (reason === undefined) return;
  throw userError(`ONNX Runtime has no device "${name}" here: ${reason}. Choose another --device.`);
}

import { availableParallelism, cpus } from 'node:os';
import { messageOf, userError } from '../../../protocol/errors.ts';
import type { Device } from '../engine.ts';
import { loadRuntime } from './loadRuntime.ts';

/** What each of ONNX Runtime's devices needs, for those that are not there. */
const needs: Readonly<Record<string, string>> = {
  webgpu: 'needs a graphics driver with Vulkan (Linux), Metal (macOS) or Direct3D 12 (Windows)',
  cuda: 'needs an NVIDIA card, CUDA 13 and cuDNN 9',
  dml: 'is part of Windows only',
  coreml: 'is part of macOS on Apple silicon only',
};

/**
 * The devices that this build of ONNX Runtime could compute on. `available` here means that the provider is in the
 * package; whether the hardware answers is what the self-check finds out, in a process of its own.
 */
export function listOnnxDevices(): Promise<readonly Device[]> {
  return Promise.resolve(describeDevices());
}

function describeDevices(): readonly Device[] {
  try {
    const { listSupportedBackends } = loadRuntime();
    const built = new Set(listSupportedBackends().map(({ name }) => name));
    const cpu = `${cpus()[0]?.model ?? process.arch}, ${String(availableParallelism())} threads`;
    const others = Object.entries(needs).map(([name, need]): Device => {
      const available = built.has(name);
      const detail = available ? `in this package; ${need}` : `not in this package: ${need}`;
      const lacks = name === 'cuda' && !available ? { lacks: 'cuda' as const } : {};
      return { engine: 'onnx', name, available, detail, ...lacks };
    });
    return [{ engine: 'onnx', name: 'cpu', available: true, detail: cpu }, ...others];
  } catch (error) {
    const detail = `ONNX Runtime does not load: ${messageOf(error)}`;
    return [{ engine: 'onnx', name: 'cpu', available: false, detail, lacks: 'onnxruntime' }];
  }
}

/**
 * ONNX Runtime computes on the CPU, without a word, where it does not know a provider; so names are checked before.
 * Throws a user error for a device that this build has not.
 */
export function requireDevice(name: string): void {
  const device = describeDevices().find((known) => known.name === name);
  if (device?.available === true) return;
  throw userError(
    `ONNX Runtime has no device "${name}" here: ${device?.detail ?? 'it does not know one of that name'}. Choose another --device.`,
  );
}

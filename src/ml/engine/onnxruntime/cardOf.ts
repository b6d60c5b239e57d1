import { cpus } from 'node:os';
import process from 'node:process';
import type { Card } from '../../../protocol/runRecord.ts';
import { cudaVersion } from './cuda/cudaFiles.ts';
import { firstCard, nvidiaCards } from './cuda/nvidiaDriver.ts';
import { vulkanDevices, type VulkanDevice } from './vulkanDevices.ts';

/** The card that a device of ONNX Runtime is, where that is certain. Never rejects. */
export async function cardOf(device: string): Promise<Card | undefined> {
  if (device === 'cpu') return undefined;
  if (device === 'cuda') {
    const card = firstCard(await nvidiaCards(), process.env['CUDA_VISIBLE_DEVICES']);
    return card && { name: card.name, driver: card.driver, provider: cudaVersion };
  }
  // Apple's processors have their graphics in them.
  if (process.platform === 'darwin' && process.arch === 'arm64') return { name: cpus()[0]?.model ?? 'Apple' };
  return device === 'webgpu' && process.platform === 'linux' ? onlyCard(vulkanDevices()) : undefined;
}

/**
 * The card that WebGPU takes, if there is one kind only: which of several it is cannot be told. A processor that draws is
 * taken where nothing else does.
 */
export function onlyCard(devices: readonly VulkanDevice[]): Card | undefined {
  const cards = devices.filter(({ isProcessor }) => !isProcessor);
  const [first, ...others] = cards.length > 0 ? cards : devices;
  if (!first || others.some(({ name }) => name !== first.name)) return undefined;
  return { name: first.name, ...(first.driver === '' ? {} : { driver: first.driver }) };
}

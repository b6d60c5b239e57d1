import process from 'node:process';
import { messageOf, usageError, userError } from '../../../protocol/errors.ts';
import type { Card } from '../../../protocol/runRecord.ts';
import type { Device } from '../engine.ts';
import type { TensorFlow } from '../../operators/tensorflow.ts';
import { firstCard, nvidiaCards } from '../onnxruntime/cuda/nvidiaDriver.ts';
import { registerFilterGradient } from './filterGradient.ts';
import { findNativePackage, loadNativePackage, type NativePackage } from './nativePackage.ts';

/** TensorFlow.js, loaded, and the backend that a device's models compute on. */
export interface Runtime {
  readonly tf: TensorFlow;
  /** As `--device` takes it. */
  readonly device: string;
  /** `tensorflow` is the native library, `cpu` plain JavaScript. */
  readonly backend: 'tensorflow' | 'cpu';
}

const engine = 'tensorflow';

/** The devices of this engine, each with what was found, or what is missing and why. Never rejects. */
export async function tensorflowDevices(): Promise<Device[]> {
  const native = await findNativePackage();
  return [cpuDevice(native), cudaDevice(native)];
}

function cpuDevice(native: NativePackage): Device {
  const detail = native.usable
    ? `TensorFlow ${native.version} through ${native.name}`
    : `plain JavaScript, for checks only: less than one image per second; ${native.reason}`;
  return { engine, name: 'cpu', available: true, detail, ...lackOf(native) };
}

function lackOf(native: NativePackage): Pick<Device, 'lacks'> {
  return !native.usable && native.installable ? { lacks: 'tensorflow' } : {};
}

function cudaDevice(native: NativePackage): Device {
  const device = { engine, name: 'cuda' } as const;
  if (!native.usable) return { ...device, available: false, detail: native.reason, ...lackOf(native) };
  if (native.gpu) {
    return { ...device, available: true, detail: `NVIDIA GPU, TensorFlow ${native.version} through ${native.name}` };
  }
  const detail = native.name.endsWith('-gpu')
    ? `TensorFlow ${native.version} found no GPU: it needs NVIDIA's driver and ${librariesFor(native.version)} on the library path`
    : `${native.name} computes on the CPU only: a GPU needs @tensorflow/tfjs-node-gpu`;
  const lacks = native.name.endsWith('-gpu') ? {} : { lacks: 'tensorflow' as const };
  return { ...device, available: false, detail, ...lacks };
}

/** The card that TensorFlow computes on, where that is certain. Never rejects. */
export async function tensorflowCard(device: string): Promise<Card | undefined> {
  if (device !== 'cuda') return undefined;
  const [cards, native] = await Promise.all([nvidiaCards(), findNativePackage()]);
  const card = firstCard(cards, process.env['CUDA_VISIBLE_DEVICES']);
  const provider = native.usable ? { provider: `TensorFlow ${native.version}` } : {};
  return card && { name: card.name, driver: card.driver, ...provider };
}

/** The package's own library is TensorFlow 2.9.1; another one was built for later versions of these. */
function librariesFor(version: string): string {
  return version.startsWith('2.9.') ? 'CUDA 11.2 and cuDNN 8.1' : 'the CUDA and cuDNN that it was built for';
}

/** The native library once it is loaded, which happens once a process, with or without the GPU. */
let native: { readonly tf: TensorFlow; readonly gpu: boolean } | undefined;
let plain: Promise<TensorFlow> | undefined;

/**
 * Loads TensorFlow.js for a device: the native library where it works, else, for `cpu`, the plain JavaScript backend.
 * A process that has loaded the library for the GPU computes `cpu` in JavaScript, because the library puts all on the
 * GPU. Throws a user error for a device that is not available.
 */
export async function openRuntime(device: string): Promise<Runtime> {
  const found = (await tensorflowDevices()).find(({ name }) => name === device);
  if (!found) throw usageError(`The TensorFlow engine has no device "${device}": use cpu or cuda.`);
  if (!found.available) throw userError(`TensorFlow cannot use ${device}: ${found.detail}.`);
  const tf = await loadNative(device === 'cuda');
  if (tf) return { tf, device, backend: 'tensorflow' };
  return { tf: await loadPlain(), device, backend: 'cpu' };
}

async function loadNative(gpu: boolean): Promise<TensorFlow | undefined> {
  const found = await findNativePackage();
  if (!found.usable) return undefined;
  if (native) {
    if (gpu && !native.gpu) {
      throw userError('This process has loaded TensorFlow without the GPU: start again with --device cuda.');
    }
    return native.gpu === gpu ? native.tf : undefined;
  }
  // The library reads this once, when it is loaded.
  if (!gpu) process.env['CUDA_VISIBLE_DEVICES'] = '-1';
  try {
    native = { tf: loadNativePackage(found.name), gpu };
  } catch (error) {
    throw userError(`${found.name} does not load: ${messageOf(error)}`, error);
  }
  native.tf.enableProdMode();
  return native.tf;
}

/** TensorFlow.js with its backend in plain JavaScript, without the native library. */
export function loadPlain(): Promise<TensorFlow> {
  plain ??= import('@tensorflow/tfjs').then((tf) => {
    // Without it the library advertises itself on stderr and checks every result for NaN.
    tf.enableProdMode();
    registerFilterGradient(tf);
    return tf;
  });
  return plain;
}

/** Makes the runtime's backend the one that computes. To be awaited before each piece of work: the choice is global. */
export async function activate({ tf, backend }: Runtime): Promise<void> {
  if (tf.getBackend() === backend) return;
  if (!(await tf.setBackend(backend))) throw userError(`TensorFlow.js could not start its ${backend} backend.`);
}

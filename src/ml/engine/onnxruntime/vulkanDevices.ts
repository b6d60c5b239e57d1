import { loadKoffi } from '../../native/koffi.ts';

/** A device that Vulkan draws and computes on. */
export interface VulkanDevice {
  readonly name: string;
  /** `NVIDIA 580.95.05`; empty where it does not say. */
  readonly driver: string;
  /** It is the processor. */
  readonly isProcessor: boolean;
}

/** Version 1.2, from which on a driver tells its name. */
const apiVersion = (1 << 22) | (2 << 12);

/** `VkStructureType` of the structures that are used (`vulkan_core.h`). */
const structures = {
  applicationInfo: 0,
  instanceInfo: 1,
  deviceProperties: 1_000_059_001,
  driverProperties: 1_000_196_000,
} as const;

/** `VK_PHYSICAL_DEVICE_TYPE_CPU`. */
const processorType = 4;
/** Places in structures, in bytes: each begins with its type and an address. */
const places = { application: 24, api: 44, deviceType: 32, deviceName: 36, driverName: 20, driverInfo: 276 } as const;
/** More than the largest structure takes, and enough to be outside of V8's heap, where memory does not move. */
const structureBytes = 2048;
/** More devices than a machine has. */
const mostDevices = 64;

/** Vulkan's devices; none where Vulkan is not installed or does not answer. */
export function vulkanDevices(): readonly VulkanDevice[] {
  try {
    return readDevices();
  } catch {
    return [];
  }
}

function readDevices(): VulkanDevice[] {
  const koffi = loadKoffi();
  const library = koffi.load('libvulkan.so.1');
  const createInstance = library.func('int vkCreateInstance(void *, void *, void *)');
  const destroyInstance = library.func('void vkDestroyInstance(void *, void *)');
  const enumerateDevices = library.func('int vkEnumeratePhysicalDevices(void *, void *, void *)');
  const getProperties = library.func('void vkGetPhysicalDeviceProperties2(void *, void *)');
  const structure = (type: number) => {
    const memory = Buffer.from(new ArrayBuffer(structureBytes));
    memory.writeUInt32LE(type);
    return memory;
  };
  const point = (memory: Buffer, place: number, to: Buffer) => memory.writeBigUInt64LE(koffi.address(to), place);

  const application = structure(structures.applicationInfo);
  application.writeUInt32LE(apiVersion, places.api);
  const info = structure(structures.instanceInfo);
  point(info, places.application, application);
  const result = structure(0);
  if (createInstance(info, null, result) !== 0) return [];
  const instance = result.readBigUInt64LE();
  try {
    const count = structure(mostDevices);
    const handles = structure(0);
    if (enumerateDevices(instance, count, handles) !== 0) return [];
    return Array.from({ length: count.readUInt32LE() }, (_, index) => {
      const driver = structure(structures.driverProperties);
      const device = structure(structures.deviceProperties);
      point(device, 8, driver);
      getProperties(handles.readBigUInt64LE(8 * index), device);
      const words = [textAt(driver, places.driverName), textAt(driver, places.driverInfo)];
      return {
        name: textAt(device, places.deviceName),
        driver: words.filter((word) => word !== '').join(' '),
        isProcessor: device.readUInt32LE(places.deviceType) === processorType,
      };
    });
  } finally {
    destroyInstance(instance, null);
  }
}

/** Longest text that these structures hold. */
const textBytes = 256;

function textAt(memory: Buffer, place: number): string {
  const text = memory.subarray(place, place + textBytes);
  const end = text.indexOf(0);
  return text
    .subarray(0, end < 0 ? textBytes : end)
    .toString('utf8')
    .trim();
}

import { join } from 'node:path';
import { installOnce } from './cache.ts';
import { type RegistryPackage, unpackRegistryPackage } from './registryPackage.ts';

const runtime: RegistryPackage = {
  name: 'onnxruntime-web',
  version: '1.30.0',
  integrity: 'sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==',
};
/** Without a browser it takes its interface from this package. */
const common: RegistryPackage = {
  name: 'onnxruntime-common',
  version: '1.30.0',
  integrity: 'sha512-7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA==',
};

/** A folder that has ONNX Runtime for browsers installed, from the npm registry into the cache: only tests need it, and it is large. */
export function folderWithOnnxruntimeWeb(): Promise<string> {
  return installOnce(`onnxruntime-web-${runtime.version}`, async (folder) => {
    for (const each of [runtime, common]) await unpackRegistryPackage(each, join(folder, 'node_modules', each.name));
  });
}

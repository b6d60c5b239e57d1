import { installOnce } from './cache.ts';
import { type RegistryPackage, unpackRegistryPackage } from './registryPackage.ts';

const runtime: RegistryPackage = {
  name: 'onnxruntime-web',
  version: '1.30.0',
  integrity: 'sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==',
};

/** The folder of ONNX Runtime for browsers, from the npm registry into the cache: only tests need it, and it is large. */
export function onnxruntimeWeb(): Promise<string> {
  return installOnce(`onnxruntime-web-${runtime.version}`, (folder) => unpackRegistryPackage(runtime, folder));
}

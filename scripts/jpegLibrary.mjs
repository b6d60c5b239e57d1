// Copies libjpeg-turbo's libraries for Linux, with the processors' vectors in them, from the package that carries them.
import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

const packageFolder = 'node_modules/@julusian/jpeg-turbo';

/** Of the package's libraries, those for the processors that there are packages for. */
const processors = ['x64', 'arm64'];

/** The name of the library for a processor, as `src/ml/data/nativeJpeg.ts` looks for it. */
export function jpegLibraryName(processor) {
  return `libturbojpeg-linux-${processor}.so`;
}

/** Copies the libraries into `folder` unless they are there. */
export function copyJpegLibraries(folder = join(root, 'dist/ml')) {
  mkdirSync(folder, { recursive: true });
  for (const processor of processors) {
    const source = join(root, libraryIn(processor));
    const target = join(folder, jpegLibraryName(processor));
    if (statSync(target, { throwIfNoEntry: false })?.size !== statSync(source).size) copyFileSync(source, target);
  }
}

function libraryIn(processor) {
  return `${packageFolder}/prebuilds/jpeg-turbo-linux-${processor}/libturbojpeg.so.0`;
}

/** The files that the libraries are copies of, relative to the project: their licence goes with the build. */
export function jpegLibrarySources() {
  return processors.map(libraryIn);
}

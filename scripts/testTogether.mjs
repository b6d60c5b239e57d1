// Runs test files in one process, each as a suite: to start Node, TypeScript and ONNX Runtime anew for each file takes
// longer than the unit tests themselves.
import { describe } from 'node:test';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import './startNothing.mjs';

/** Runs the files one after the other. Their hooks stay theirs; what a file changes of the process, it must change back. */
export function testTogether(folder, files) {
  for (const file of files) {
    describe(relative(folder, file), async () => {
      await import(pathToFileURL(file).href);
    });
  }
}

/**
 * The file of a worker thread. It is the build's also where this runs from its sources: a thread would take seconds to make
 * JavaScript of them, each time.
 */
export function workerScript(name: 'decodeWorker' | 'magickWorker' | 'mapWorker'): URL {
  return new URL(`${import.meta.url.endsWith('.ts') ? '../../../dist/ml' : '.'}/${name}.mjs`, import.meta.url);
}

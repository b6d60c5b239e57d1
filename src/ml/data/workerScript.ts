import { isMainThread } from 'node:worker_threads';

/**
 * The file of a worker thread in this folder, and the options to start it with. Run from the sources it is TypeScript,
 * which tsx then has to be registered for in each thread; a thread's own threads go by the thread's options.
 */
export function workerScript(name: string): { filename: string; execArgv: string[] } {
  const fromSources = import.meta.url.endsWith('.ts');
  const filename = new URL(`./${name}.${fromSources ? 'ts' : 'mjs'}`, import.meta.url).href;
  if (!fromSources) return { filename, execArgv: [] };
  if (!isMainThread) return { filename, execArgv: process.execArgv };
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  return { filename, execArgv: ['--import', `data:text/javascript,import{register}from${tsx};register()`] };
}

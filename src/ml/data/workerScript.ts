import { isMainThread } from 'node:worker_threads';

/**
 * The file of a worker thread in the folder of `from`, a module's `import.meta.url`, or in this one, and the options to start it with. Run from the sources it is TypeScript,
 * which tsx then has to be registered for in each thread; a thread's own threads go by the thread's options.
 */
export function workerScript(name: string, from = import.meta.url): { filename: string; execArgv: string[] } {
  const fromSources = import.meta.url.endsWith('.ts');
  const filename = new URL(`./${name}.${fromSources ? 'ts' : 'mjs'}`, from).href;
  if (!fromSources) return { filename, execArgv: [] };
  if (!isMainThread) return { filename, execArgv: process.execArgv };
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  return { filename, execArgv: ['--import', `data:text/javascript,import{register}from${tsx};register()`] };
}

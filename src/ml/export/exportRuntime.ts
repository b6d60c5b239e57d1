import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { messageOf, usageError } from '../../protocol/errors.ts';
import { loadRuntime } from '../engine/onnxruntime/loadRuntime.ts';

type Api = typeof import('onnxruntime-node');
type ApiSession = Awaited<ReturnType<Api['InferenceSession']['create']>>;

/** What we use of ONNX Runtime's JavaScript interface, which its packages for Node and for browsers share. */
export interface Runtime {
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: { readonly logSeverityLevel: 4 }): Promise<RuntimeSession>;
  };
  readonly Tensor: Api['Tensor'];
}

export interface RuntimeSession {
  run(feeds: Parameters<ApiSession['run']>[0]): ReturnType<ApiSession['run']>;
  release(): Promise<void>;
}

/** The runtime that Fivecrop itself computes with. */
export function ownRuntime(): Runtime {
  return loadRuntime();
}

/**
 * A runtime by the name of its package, as the current folder has it installed, or by its path: `onnxruntime-web`,
 * another version of `onnxruntime-node`, or a module with the same interface. Its code is run. Throws a usage error where
 * there is none.
 */
export async function namedRuntime(name: string): Promise<Runtime> {
  const require = createRequire(join(process.cwd(), 'package.json'));
  let file: string;
  try {
    file = require.resolve(/^[./\\]|^[A-Za-z]:/u.test(name) ? resolve(name) : name);
  } catch {
    throw usageError(
      `--runtime ${name}: there is no such package or module here; install it in this folder, or give its path.`,
    );
  }
  const imported = await importRuntime(file).catch((error: unknown) => {
    throw usageError(`--runtime ${name}: the module cannot be loaded (${messageOf(error).split('\n', 1)[0] ?? ''}).`);
  });
  const { InferenceSession, Tensor } = imported.InferenceSession ? imported : (imported.default ?? {});
  if (InferenceSession && Tensor) return { InferenceSession, Tensor };
  throw usageError(
    `--runtime ${name}: the module has no InferenceSession and Tensor, as ONNX Runtime’s packages have.`,
  );
}

async function importRuntime(file: string) {
  return (await import(pathToFileURL(file).href)) as Partial<Runtime> & { readonly default?: Partial<Runtime> };
}

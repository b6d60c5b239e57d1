import { askProcess, type ProcessReply } from '../../askProcess.ts';
import { speaksOfMemory } from '../../outOfMemory.ts';

/** What a check found: that it passed, or why the library cannot be used, and whether that is of the machine's nature. */
export type LibraryCheck =
  { readonly passed: true } | { readonly passed: false; readonly reason: string; readonly lasting: boolean };

/** Where the library is checked before it is called without the binding. */
export type LibraryDevice = 'cpu' | 'webgpu';

/** Changes with what is checked, so that what older checks found is found anew. */
export const libraryCheckVersion = 'library check 3';

/** What the process of the check sends: nothing is wrong, or what is. */
export interface LibraryCheckMessage {
  readonly failure?: string;
}

/** The steps take a second; a machine that is busy takes longer, and a card has programs to compile. */
const patienceSeconds = { cpu: 30, webgpu: 180 } as const;

/** What a library that does not suit the machine ends its process with. Node ends its own with SIGABRT where memory is short. */
const crashes: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP']);
/** Windows gives such ends as exit codes from here on. */
const firstCrashCode = 0xc0000000;

/**
 * Trains a few steps of a small network through ONNX Runtime's library, in a process of its own, so that a crash cannot take a
 * run down with it. Passes if on the CPU all numbers are those of the binding to the last bit, and if on WebGPU steps are
 * replayed, and gradients and losses are those of the CPU as the self-check has it. Never throws.
 */
export async function checkLibrary(device: LibraryDevice): Promise<LibraryCheck> {
  const script = import.meta.url.endsWith('.ts') ? '../../../../../dist/ml/checkLibrary.mjs' : './checkLibrary.mjs';
  const seconds = patienceSeconds[device];
  return checkOf(await askProcess(new URL(script, import.meta.url), [device], seconds), seconds);
}

/** What the end of the process of a check says, which had so many seconds. */
export function checkOf(reply: ProcessReply, seconds: number): LibraryCheck {
  switch (reply.kind) {
    case 'answer': {
      const { failure } = reply.message as LibraryCheckMessage;
      if (failure === undefined) return { passed: true };
      return { passed: false, reason: failure, lasting: !speaksOfMemory(failure) };
    }
    case 'late':
      return { passed: false, reason: `its check took longer than ${seconds} s`, lasting: false };
    case 'not started':
      return { passed: false, reason: reply.reason, lasting: false };
    case 'ended': {
      const { signal, code } = reply;
      const lasting = signal === null ? (code ?? 0) >>> 0 >= firstCrashCode : crashes.has(signal);
      return { passed: false, reason: `its check ended with ${signal ?? `exit code ${String(code)}`}`, lasting };
    }
  }
}

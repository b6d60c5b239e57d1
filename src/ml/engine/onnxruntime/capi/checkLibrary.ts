import { askProcess } from '../../askProcess.ts';

/** What a check found: that it passed, or why the library cannot be used, and whether that is worth remembering. */
export type LibraryCheck =
  { readonly passed: true } | { readonly passed: false; readonly reason: string; readonly lasting: boolean };

/** What the process of the check sends: nothing is wrong, or what is. */
export interface LibraryCheckMessage {
  readonly failure?: string;
}

/** The steps take a second; a machine that is busy takes longer. */
const patienceSeconds = 60;

/**
 * Trains a few steps of a small network through ONNX Runtime's library and through its binding, in a process of its own, so
 * that a crash cannot take a run down with it. Passes if all numbers are the same to the last bit. Never throws.
 */
export async function checkLibrary(): Promise<LibraryCheck> {
  const script = import.meta.url.endsWith('.ts') ? './checkProcess.ts' : './checkLibrary.mjs';
  const reply = await askProcess(new URL(script, import.meta.url), [], patienceSeconds);
  switch (reply.kind) {
    case 'answer': {
      const { failure } = reply.message as LibraryCheckMessage;
      return failure === undefined ? { passed: true } : { passed: false, reason: failure, lasting: true };
    }
    case 'late':
      return { passed: false, reason: `its check took longer than ${patienceSeconds} s`, lasting: false };
    case 'not started':
      return { passed: false, reason: reply.reason, lasting: false };
    case 'ended': {
      const how = reply.signal ?? `exit code ${String(reply.code)}`;
      return { passed: false, reason: `its check ended with ${how}`, lasting: true };
    }
  }
}

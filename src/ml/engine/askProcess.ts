import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What came of a process that was asked for one answer. */
export type ProcessReply =
  | { readonly kind: 'answer'; readonly message: unknown }
  | { readonly kind: 'late' }
  | { readonly kind: 'not started'; readonly reason: string }
  | { readonly kind: 'ended'; readonly code: number | null; readonly signal: NodeJS.Signals | null };

/**
 * Runs a program of ours in a process of its own and resolves with the first message that it sends, or with how it came to
 * send none, so that what breaks there cannot take this process down. The process is ended then. Never throws.
 */
export function askProcess(script: URL, args: readonly string[], seconds: number): Promise<ProcessReply> {
  const child = fork(fileURLToPath(script), args, {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  return new Promise((resolve) => {
    const finish = (reply: ProcessReply) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      // A broken driver may hold it where no signal reaches it, or hold the channel: neither keeps this process.
      child.unref();
      if (child.connected) child.disconnect();
      resolve(reply);
    };
    const timer = setTimeout(() => {
      finish({ kind: 'late' });
    }, seconds * 1000);
    child.once('message', (message) => {
      finish({ kind: 'answer', message });
    });
    child.once('error', (error) => {
      finish({ kind: 'not started', reason: error.message });
    });
    child.once('exit', (code, signal) => {
      const ended = () => finish({ kind: 'ended', code, signal });
      // An answer that was sent may still be on its way; the channel closes behind it.
      if (child.connected) child.once('disconnect', ended);
      else ended();
    });
  });
}

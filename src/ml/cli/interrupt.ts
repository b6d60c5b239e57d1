import process from 'node:process';

/** Exit code of a command that was interrupted: 128 and the number of SIGINT, as shells have it. */
export const interruptedExitCode = 130;

/**
 * Runs `work` with a signal that the first Ctrl-C (or SIGTERM) aborts, so that it can end in good order; the second
 * ends the process at once. `onFirst` says so to the user.
 */
export async function withInterrupt<Result>(
  onFirst: () => void,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(interruptedExitCode);
    controller.abort();
    onFirst();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const name of signals) process.on(name, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of signals) process.off(name, interrupt);
  }
}

import { execFile } from 'node:child_process';

/**
 * What a program writes to its standard output. One that does not end in time is killed and not waited for: a broken driver
 * holds a process where no signal reaches it. Rejects with the error of `execFile`, which has what it wrote as `stdout`.
 */
export function answerOf(program: string, args: readonly string[], milliseconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, (error, stdout) => {
      clearTimeout(timer);
      const failure: Error | null = error && Object.assign(error, { stdout });
      if (failure) reject(failure);
      else resolve(stdout);
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      reject(new Error(`${program} took longer than ${Math.round(milliseconds / 1000)} s`));
    }, milliseconds);
  });
}

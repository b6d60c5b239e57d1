import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { stripVTControlCharacters } from 'node:util';
import { codeOf, userError } from '../../protocol/errors.ts';

/** Runs Optuna's command with arguments, and resolves with what it wrote. */
export type OptunaCommand = (args: readonly string[]) => Promise<string>;

/** Asking takes a second or two, and longer where thousands of trials were told. */
const patienceMilliseconds = 300_000;
/** Characters of an answer or a message. */
const most = 1_000_000;
/** The first version that writes distributions as we do. */
const leastVersion = 3;

/**
 * Optuna's command, `optuna` of the `PATH`, in a folder. It rejects with a user error where the command is not there or fails;
 * `patience` is how many milliseconds it may take.
 */
export function optunaIn(folder: string, patience = patienceMilliseconds): OptunaCommand {
  return (args) =>
    new Promise((resolve, reject) => {
      // Ctrl-C in a terminal reaches us alone: a question is answered, and a stop waits for that.
      const child = spawn(program(), args, {
        cwd: folder,
        detached: true,
        windowsHide: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const said = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const)
        child[name].setEncoding('utf8').on('data', (text: string) => (said[name] = (said[name] + text).slice(-most)));
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(userError(`Optuna did not answer within ${Math.round(patience / 1000)} s.`));
      }, patience);
      child.on('error', (error) => {
        clearTimeout(timer);
        reject(
          codeOf(error) === 'ENOENT'
            ? notInstalled(error)
            : userError(`Optuna does not start: ${error.message}.`, error),
        );
      });
      child.on('close', (code) => {
        clearTimeout(timer);
        if (code === 0) resolve(said.stdout);
        else
          reject(
            userError(`optuna ${args[0] ?? ''} failed: ${lastLine(said.stderr) ?? `exit code ${code ?? 'unknown'}`}`),
          );
      });
    });
}

/** Windows would look for a bare name in the folder of the sweep first, which may hold a stranger's files. */
function program(): string {
  if (process.platform !== 'win32') return 'optuna';
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, 'optuna.exe')).find((file) => existsSync(file)) ?? 'optuna.exe';
}

function notInstalled(cause: Error) {
  return userError(
    'This sampler is Optuna’s, and its command optuna is not on the PATH: install it (apt install python3-optuna, or pip install optuna), or use the sampler random or sobol.',
    cause,
  );
}

/** Python says why in the last line. */
function lastLine(text: string): string | undefined {
  const lines = stripVTControlCharacters(text).split('\n');
  return lines.findLast((line) => line.trim() !== '')?.trim();
}

/** Throws a user error where Optuna is not installed, or too old. */
export async function requireOptuna(optuna: OptunaCommand): Promise<void> {
  const answer = await optuna(['--version']);
  const version = /(\d+)\.\d+/u.exec(answer);
  if (version === null || Number(version[1]) < leastVersion)
    throw userError(`Optuna ${leastVersion} or newer is needed, and the command optuna is: ${answer.trim()}.`);
}

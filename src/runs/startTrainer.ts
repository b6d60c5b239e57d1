import { spawn, type ChildProcess } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { userError } from '../protocol/errors.ts';
import type { GivenConfig } from '../protocol/trainingConfig.ts';

/** A run to start. Paths are absolute. */
export interface TrainingRequest {
  readonly config: GivenConfig;
  /** Folder in which the run's own is made. */
  readonly out: string;
  readonly name?: string;
  /** Folder of a run, or checkpoint, to go on from. */
  readonly resume?: string;
}

export interface TrainerProgram {
  /** `dist/ml/trainer.mjs`. */
  readonly script: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Takes each line that the process writes to its standard error. */
  readonly onErrorLine: (line: string) => void;
}

/**
 * Starts a trainer process that outlives this one. Resolves with the run's folder as soon as it is there; rejects with
 * what the process said where it ended before that.
 */
export function startTrainer(request: TrainingRequest, program: TrainerProgram): Promise<string> {
  const { config, out, name, resume } = request;
  const args = ['-', out, ...(name === undefined ? [] : [name]), ...(resume === undefined ? [] : ['--resume', resume])];
  const child = spawn(process.execPath, [program.script, ...args], {
    detached: true,
    windowsHide: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: program.environment,
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(config));
  child.unref();
  return folderOf(child, program.onErrorLine);
}

/** Lines of the trainer's standard error that a failed start may show. */
const keptWords = 100;

function folderOf(child: ChildProcess, onErrorLine: (line: string) => void): Promise<string> {
  const lastWords: string[] = [];
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the trainer has no output');
  createInterface({ input: stderr }).on('line', (line) => {
    lastWords.push(line);
    if (lastWords.length > keptWords) lastWords.shift();
    onErrorLine(line);
  });
  return new Promise((resolve, reject) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const folder = parseFolder(line);
      if (folder !== undefined) resolve(folder);
    });
    child.on('error', (error) => reject(userError(`The training process could not be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      const reason = lastWords.join('\n').trim() || `it ended with ${signal ?? `code ${String(code)}`}`;
      // Code 2 and 1 with one line are the trainer's own sentences; a stack is a bug.
      const isSentence = lastWords.length <= 2 && signal === null;
      reject(isSentence ? userError(reason) : new Error(`The training process failed: ${reason}`));
    });
  });
}

function parseFolder(line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const folder = typeof value === 'object' && value !== null && 'folder' in value ? value.folder : undefined;
    return typeof folder === 'string' ? folder : undefined;
  } catch {
    return undefined;
  }
}

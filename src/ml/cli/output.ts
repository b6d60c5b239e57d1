import process from 'node:process';
import { visible, visibleJson } from '../../protocol/visibleText.ts';

/**
 * Where a command writes. Results go to standard output, one JSON object a line where `--json` asks for it; whatever
 * else there is to say goes to standard error. Names and messages may come from files, so nothing of a line but `drawing`
 * reaches the terminal that the terminal would obey.
 */
export interface Output {
  readonly json: boolean;
  /** One object of `--json`; nothing without it. */
  readonly object: (value: object) => void;
  /** A line of the result for human eyes; nothing with `--json`. */
  readonly print: (line: string) => void;
  /** A line about what is going on. */
  readonly say: (line: string) => void;
  /** Several lines on standard error that are all ours, with colours. */
  readonly drawing: (text: string) => void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    object: (value) => {
      if (json) process.stdout.write(`${visibleJson(value)}\n`);
    },
    print: (line) => {
      if (!json) process.stdout.write(`${visible(line)}\n`);
    },
    say: (line) => void process.stderr.write(`${visible(line)}\n`),
    drawing: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** A reader such as `head` that has seen enough closes the pipe: that ends us, and is no failure. */
export function endQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}

import { visible, visibleLines } from '../protocol/visibleText.ts';

/** The log of the extension. What it is given may come from files: hidden characters are shown as symbols. */
export interface Log {
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
  /** An error that is none of the user's is written with its stack. */
  readonly error: (message: string | Error) => void;
  readonly show: () => void;
}

/** Writes to a channel of the editor, `vscode.LogOutputChannel`. */
export function createLog(channel: Log): Log {
  return {
    info: (message) => channel.info(visible(message)),
    warn: (message) => channel.warn(visible(message)),
    error: (message) =>
      channel.error(typeof message === 'string' ? visible(message) : visibleLines(message.stack ?? message.message)),
    show: () => channel.show(),
  };
}

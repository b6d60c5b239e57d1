import { CommanderError } from 'commander';
import process from 'node:process';
import { CancelledError, messageOf, UserError } from '../../protocol/errors.ts';
import { visible } from '../../protocol/visibleText.ts';
import { weightsAdviceForShell } from '../../protocol/weightsAdvice.ts';
import { defaultWeightsFolder } from '../weights/weightsPlaces.ts';
import { interruptedExitCode } from './interrupt.ts';

/** How the process ends: its exit code, and the sentence for standard error; none where all has been said. */
export interface Ending {
  readonly code: number;
  readonly message?: string;
}

/**
 * What a thrown error means for the shell: 2 for a wrong use, 130 for an interruption, 0 where help was asked for, else
 * 1. With `FIVECROP_DEBUG=1` the message is the whole stack.
 */
export function endingOf(error: unknown): Ending {
  if (error instanceof CancelledError) return { code: interruptedExitCode, message: 'fivecrop: interrupted.' };
  if (error instanceof CommanderError) return endingOfParser(error);
  const code = error instanceof UserError && error.kind === 'usage' ? 2 : 1;
  if (process.env['FIVECROP_DEBUG'] === '1') return { code, message: stackOf(error) };
  if (error instanceof UserError) {
    const isWeights = error.kind === 'weights';
    const sentence = isWeights ? weightsAdviceForShell(error.message, defaultWeightsFolder()) : error.message;
    return { code, message: visible(`fivecrop: ${sentence}`) };
  }
  const message = messageOf(error).split('\n', 1)[0] ?? '';
  return {
    code,
    message: `fivecrop: unexpected error: ${message} (for details, run it again with FIVECROP_DEBUG=1)`,
  };
}

function endingOfParser(error: CommanderError): Ending {
  if (error.exitCode === 0) return { code: 0 };
  if (error.code === 'commander.help') return { code: 2 };
  const [problem = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n');
  const hint = suggestion.replace(/^\((.*)\)$/, ' $1');
  return { code: 2, message: `fivecrop: ${problem.replace(/\.$/u, '')}.${hint} See fivecrop --help.` };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

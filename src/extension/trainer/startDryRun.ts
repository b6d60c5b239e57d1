import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import * as l10n from '@vscode/l10n';
import { type DryRunAnswer, dryRunAnswerSchema, type DryRunRequest } from '../../protocol/dryRun.ts';
import { cancelled, userError } from '../../protocol/errors.ts';
import { errorOf } from '../../protocol/requestChannel.ts';
import type { TrainerProgram } from '../../runs/startTrainer.ts';

export interface DryRunCall {
  readonly signal: AbortSignal;
  /** Every answer but errors, as it comes; the last one is the result. */
  readonly onAnswer: (answer: Exclude<DryRunAnswer, { type: 'error' }>) => void;
}

/**
 * Makes a dry run in a process of its own, `dist/ml/dryRun.mjs`. Resolves after the last answer. Rejects with a `UserError`,
 * also where the process ends before, with a cancellation once `signal` is aborted, and with an `Error` for a bug.
 */
export function startDryRun(request: DryRunRequest, program: TrainerProgram, call: DryRunCall): Promise<void> {
  const { signal, onAnswer } = call;
  if (signal.aborted) return Promise.reject(cancelled());
  const child = fork(program.script, [], {
    execArgv: [],
    env: program.environment,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', program.onErrorLine);
  }
  const hangUp = (): void => {
    if (child.connected) child.disconnect();
  };
  return new Promise<void>((resolve, reject) => {
    signal.addEventListener(
      'abort',
      () => {
        hangUp();
        reject(cancelled());
      },
      { once: true },
    );
    child.on('message', (message) => {
      if (signal.aborted) return;
      const answer = dryRunAnswerSchema.safeParse(message);
      if (!answer.success) program.onErrorLine(`what is no answer was skipped: ${answer.error.message}`);
      else if (answer.data.type === 'error') reject(errorOf(answer.data));
      else {
        onAnswer(answer.data);
        if (answer.data.type === 'rate' || answer.data.type === 'estimate') resolve();
      }
    });
    child.on('error', (error) =>
      reject(userError(l10n.t('The training process could not be started: {0}', error.message))),
    );
    child.on('close', (code, killedBy) =>
      reject(userError(l10n.t('The training process ended unexpectedly: {0}.', killedBy ?? `code ${String(code)}`))),
    );
    child.send(request, () => undefined);
  }).finally(hangUp);
}

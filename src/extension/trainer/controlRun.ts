import process from 'node:process';
import * as l10n from '@vscode/l10n';
import { userError } from '../../protocol/errors.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import type { TrainerRequest } from '../../protocol/trainerProtocol.ts';
import { requestControl } from '../../runs/control.ts';
import type { StoredRun } from '../../runs/list.ts';
import { isVerified } from '../../runs/owner.ts';
import { isLive } from '../../runs/state.ts';
import { requireTrust } from '../requireTrust.ts';
import { elsewhereRefusal, trainsElsewhere } from './elsewhere.ts';
import { isTrainerSocket, sendToTrainer } from './trainerSocket.ts';

/**
 * Asks the process of a live run for something: by its socket, on another machine by its folder. A shell's run has no socket;
 * it stops as by Ctrl-C, and is asked for the rest by its folder. Throws a user error if it cannot be asked.
 */
export async function controlRun({ folder, record, state }: StoredRun, request: TrainerRequest): Promise<void> {
  // The record says whom to ask, and in an untrusted workspace it may name anybody.
  requireTrust('controlling');
  if (!isLive(state)) throw userError(notRunning(runTitle(record.name), request));
  const elsewhere = elsewhereRefusal(record);
  if (elsewhere !== undefined) throw userError(elsewhere);
  if (trainsElsewhere(record)) return requestControl(folder, request.type);
  const { process: owner } = record;
  if (owner?.socket !== undefined) {
    if (!isTrainerSocket(owner.socket))
      throw userError(
        l10n.t(
          'The process that {0} names is not one of your training processes, so nothing is asked of it.',
          runTitle(record.name),
        ),
      );
    return sendToTrainer(owner.socket, request);
  }
  if (owner === undefined || request.type !== 'stop' || process.platform === 'win32') {
    if (record.heedsControl === true) return requestControl(folder, request.type);
    throw userError(startedInTerminal(runTitle(record.name), request));
  }
  // The number may have gone to another process.
  if (!isVerified(owner))
    throw userError(
      l10n.t('The process of {0} cannot be identified: stop it where it was started.', runTitle(record.name)),
    );
  process.kill(owner.pid, 'SIGINT');
}

function notRunning(title: string, { type }: TrainerRequest): string {
  switch (type) {
    case 'stop':
      return l10n.t('{0} is not running, so there is nothing to stop.', title);
    case 'pause':
      return l10n.t('{0} is not running, so there is nothing to pause.', title);
    case 'resume':
      return l10n.t('{0} is not running, so there is nothing to resume.', title);
  }
}

function startedInTerminal(title: string, { type }: TrainerRequest): string {
  switch (type) {
    case 'stop':
      return l10n.t('{0} was started in a terminal: stop it there.', title);
    case 'pause':
      return l10n.t('{0} was started in a terminal: pause it there.', title);
    case 'resume':
      return l10n.t('{0} was started in a terminal: resume it there.', title);
  }
}

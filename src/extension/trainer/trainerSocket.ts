import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname } from 'node:path';
import process from 'node:process';
import * as l10n from '@vscode/l10n';
import { userError } from '../../protocol/errors.ts';
import type { TrainerRequest } from '../../protocol/trainerProtocol.ts';

/** Milliseconds that a trainer may take to accept a connection: it listens also while a step computes. */
const patience = 5000;

export interface TrainerListener {
  /** Called when the trainer says something; nothing more is read of it before the promise has settled. */
  readonly onNews: () => Promise<void>;
  /** Called once: the trainer ended, was killed, or was not there. */
  readonly onClose: () => void;
}

/**
 * Listens to a running trainer. What it says lies in the run's folder already, so that it is only taken as word that there
 * is news, and nothing of it is kept. Returns the function that ends it without a word to `onClose`.
 */
export function listenToTrainer(address: string, { onNews, onClose }: TrainerListener): () => void {
  const socket = connect(address);
  let over = false;
  socket.on('data', () => {
    socket.pause();
    void onNews().finally(() => socket.resume());
  });
  // `close` follows, and says all that matters.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (!over) onClose();
    over = true;
  });
  return () => {
    over = true;
    socket.destroy();
  };
}

/** Asks a running trainer for something. Throws a user error where nobody listens. */
export function sendToTrainer(address: string, request: TrainerRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => {
      socket.destroy();
      reject(
        userError(l10n.t('The training process does not answer; it may just have ended. Refresh the list of runs.')),
      );
    };
    const socket = connect(address, () => socket.end(`${JSON.stringify(request)}\n`, resolve));
    // Rejecting what has been resolved changes nothing: one that never closes is hung up on.
    const timer = setTimeout(fail, patience);
    socket.on('error', fail);
    socket.on('close', () => clearTimeout(timer));
    // What the trainer says on every connection has to be read, or the socket would not end.
    socket.resume();
  });
}

/**
 * Whether an address that a record names is such as our trainers open (see `openLineSocket`), and this user's own: a record
 * may name any socket of this machine, and on Windows a pipe of another one.
 */
export function isTrainerSocket(address: string): boolean {
  if (process.platform === 'win32') return /^\\\\\.\\pipe\\fivecrop-[0-9a-f]{12}$/.test(address);
  const folder = dirname(address);
  if (basename(address) !== 'socket' || !basename(folder).startsWith('fivecrop-')) return false;
  try {
    const [place, socket] = [lstatSync(folder), lstatSync(address)];
    const own = [place, socket].every(({ uid }) => uid === process.getuid?.());
    return own && socket.isSocket() && place.isDirectory() && (place.mode & 0o077) === 0;
  } catch {
    return false;
  }
}

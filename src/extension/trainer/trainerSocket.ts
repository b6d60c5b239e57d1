import { connect } from 'node:net';
import { userError } from '../../protocol/errors.ts';
import { trainerMessageSchema, type TrainerMessage, type TrainerRequest } from '../../protocol/trainerProtocol.ts';

/** Milliseconds that a trainer may take to accept a connection: it listens also while a step computes. */
const patience = 5000;

export interface TrainerListener {
  readonly onMessage: (message: TrainerMessage) => void;
  /** Called once: the trainer ended, was killed, or was not there. */
  readonly onClose: () => void;
}

/** Listens to a running trainer. Returns the function that ends it without a word to `onClose`. */
export function listenToTrainer(address: string, { onMessage, onClose }: TrainerListener): () => void {
  const socket = connect(address);
  let rest = '';
  let over = false;
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = parseMessage(line);
      if (message !== undefined && !over) onMessage(message);
    }
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
      reject(userError('The training process does not answer; it may just have ended. Refresh the list of runs.'));
    };
    const socket = connect(address, () => {
      socket.end(`${JSON.stringify(request)}\n`, () => {
        clearTimeout(timer);
        resolve();
      });
    });
    const timer = setTimeout(fail, patience);
    socket.on('error', () => {
      clearTimeout(timer);
      fail();
    });
    // What the trainer says on every connection has to be read, or the socket would not end.
    socket.resume();
  });
}

function parseMessage(line: string): TrainerMessage | undefined {
  try {
    return trainerMessageSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

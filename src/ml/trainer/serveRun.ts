import type { TrainingEvent } from '../../protocol/trainingEvents.ts';
import { type TrainerMessage, trainerRequestSchema } from '../../protocol/trainerProtocol.ts';
import type { TrainingControl } from '../training/run/control.ts';
import { openLineSocket } from './lineSocket.ts';

/** A run as clients see it over its socket. */
export interface RunServer {
  /** For the run's record. */
  readonly address: string;
  /** Says which run this is, and how many events its folder holds already. */
  readonly begin: (run: string, events: number) => void;
  /** Sends an event that lies in `metrics.jsonl` to all clients. */
  readonly event: (event: TrainingEvent) => void;
  readonly close: () => Promise<void>;
}

/**
 * Serves `trainerProtocol.ts`: a client first hears `hello` with the number of events that lie in the folder at that
 * moment, then every later event, so that history from the folder and news from the socket fit without gap or
 * duplicate. Requests go to `control`; what is no request is passed over.
 */
export async function serveRun(control: TrainingControl): Promise<RunServer> {
  let name = '';
  let events = 0;
  const encode = (message: TrainerMessage) => JSON.stringify(message);
  const socket = await openLineSocket({
    onClient: (client) => client.send(encode({ type: 'hello', version: 1, run: name, events })),
    onLine: (line) => obey(control, line),
  });
  return {
    address: socket.address,
    begin: (run, known) => {
      name = run;
      events = known;
    },
    event: (event) => {
      events++;
      socket.broadcast(encode({ type: 'event', event }));
    },
    close: socket.close,
  };
}

function obey(control: TrainingControl, line: string): void {
  const request = trainerRequestSchema.safeParse(parseJson(line));
  if (!request.success) return;
  control[request.data.type]();
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

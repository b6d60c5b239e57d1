import { CancelledError, cancelled, messageOf, UserError, userError } from './errors.ts';
import {
  serviceAnswerSchema,
  serviceRequestSchema,
  type ServiceAnswer,
  type ServiceAnswerBody,
  type ServiceRequest,
  type ServiceRequestBody,
} from './serviceProtocol.ts';
import { weightsAdviceForEditor } from './weightsAdvice.ts';

/*
 * Both ends of a channel of requests, each with any number of answers and a cancellation, over whatever carries messages.
 *
 * vscode-jsonrpc 10 would do the numbering and the cancelling, about 40 of the 150 lines here, and add 62 kB to each of the
 * two bundles. The checks of each message and the three kinds of errors would stay ours, and its tokens would have to be
 * made `AbortSignal`s at both ends. Trainers could not use it: they broadcast lines to whoever listens
 * (`trainerProtocol.ts`), hang up on clients that do not read, and bound the lines that they take, which its streams do not.
 */

type FailureAnswer = Extract<ServiceAnswerBody, { type: 'error' }>;

/** What a request's work is given besides the request. */
export interface RequestContext {
  readonly signal: AbortSignal;
  readonly answer: (body: ServiceAnswerBody) => void;
}

export type RequestHandler = (request: ServiceRequestBody, context: RequestContext) => Promise<void>;

/**
 * The end that answers: the returned function takes whatever comes over the channel. Each request ends with `done` or
 * with one `error`; what is no request is passed over. Nothing is answered after the last answer of a request. `report`
 * hears of what is no request, and of the stacks of bugs: the user sees a sentence.
 */
export function answerRequests(
  handle: RequestHandler,
  send: (answer: ServiceAnswer) => void,
  report: (problem: string) => void,
): (message: unknown) => void {
  const running = new Map<number, AbortController>();

  async function run(id: number, request: ServiceRequestBody): Promise<void> {
    const controller = new AbortController();
    running.set(id, controller);
    const answer = (body: ServiceAnswerBody) => {
      if (running.get(id) === controller) send({ id, answer: body });
    };
    try {
      await handle(request, { signal: controller.signal, answer });
      if (controller.signal.aborted) throw cancelled();
      answer({ type: 'done' });
    } catch (error) {
      answer(failureOf(error, report));
    } finally {
      running.delete(id);
    }
  }

  return (message) => {
    const parsed = serviceRequestSchema.safeParse(message);
    if (!parsed.success) {
      report(`A message that is not a request was skipped: ${parsed.error.message}`);
      return;
    }
    if ('cancel' in parsed.data) running.get(parsed.data.id)?.abort();
    else if (running.has(parsed.data.id)) report(`A request came twice under the id ${parsed.data.id}.`);
    else void run(parsed.data.id, parsed.data.request);
  };
}

export interface RequestCall {
  /** Every answer but `done` and `error`, as it comes. */
  readonly onAnswer?: (answer: ServiceAnswerBody) => void;
  readonly signal?: AbortSignal;
}

/** The end that asks. */
export interface Requests {
  /** Resolves at `done`. Rejects with what came in its place: see `errorOf`. */
  readonly ask: (request: ServiceRequestBody, call: RequestCall) => Promise<void>;
  /** Takes whatever comes over the channel. */
  readonly take: (message: unknown) => void;
  /** Rejects all that is asked: the channel has ended. */
  readonly fail: (error: Error) => void;
  /** Whether anything is asked that has no last answer yet. */
  readonly pending: boolean;
}

/** The end that asks, over `send`. `report` hears of what is no answer. */
export function createRequests(send: (request: ServiceRequest) => void, report: (problem: string) => void): Requests {
  interface Pending {
    readonly onAnswer: ((answer: ServiceAnswerBody) => void) | undefined;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }
  const pending = new Map<number, Pending>();
  let nextId = 0;
  return {
    ask: async (request, { onAnswer, signal }) => {
      if (signal?.aborted) throw cancelled();
      const id = nextId++;
      const onAbort = () => send({ id, cancel: true });
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        await new Promise<void>((resolve, reject) => {
          pending.set(id, { onAnswer, resolve, reject });
          send({ id, request });
        });
      } finally {
        signal?.removeEventListener('abort', onAbort);
        pending.delete(id);
      }
    },
    take: (message) => {
      const parsed = serviceAnswerSchema.safeParse(message);
      if (!parsed.success) {
        report(`The service sent something that is not an answer: ${parsed.error.message}`);
        return;
      }
      const { id, answer } = parsed.data;
      const asked = pending.get(id);
      if (answer.type === 'done') asked?.resolve();
      else if (answer.type === 'error') asked?.reject(errorOf(answer));
      else asked?.onAnswer?.(answer);
    },
    fail: (error) => {
      for (const { reject } of pending.values()) reject(error);
      pending.clear();
    },
    get pending() {
      return pending.size > 0;
    },
  };
}

/** How a request that failed is told over a channel; `report` hears of the stacks of bugs. */
export function failureOf(error: unknown, report: (problem: string) => void): FailureAnswer {
  if (error instanceof CancelledError) return { type: 'error', kind: 'cancelled', message: error.message };
  if (error instanceof UserError) {
    const message = error.kind === 'weights' ? weightsAdviceForEditor(error.message) : error.message;
    return { type: 'error', kind: 'user', message };
  }
  report((error instanceof Error ? error.stack : undefined) ?? String(error));
  return { type: 'error', kind: 'bug', message: messageOf(error).split('\n', 1)[0] ?? '' };
}

/** What `failureOf` made, as an error again: a `CancelledError`, a `UserError`, or an `Error` for a bug. */
export function errorOf({ kind, message }: FailureAnswer): Error {
  if (kind === 'cancelled') return cancelled();
  return kind === 'user' ? userError(message) : new Error(message);
}

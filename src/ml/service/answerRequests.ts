import { CancelledError, cancelled, messageOf, UserError } from '../../protocol/errors.ts';
import {
  serviceRequestSchema,
  type ServiceAnswer,
  type ServiceAnswerBody,
  type ServiceRequestBody,
} from '../../protocol/serviceProtocol.ts';
import { weightsAdviceForEditor } from '../../protocol/weightsAdvice.ts';

/** What a request's work is given besides the request. */
export interface RequestContext {
  readonly signal: AbortSignal;
  readonly answer: (body: ServiceAnswerBody) => void;
}

export type RequestHandler = (request: ServiceRequestBody, context: RequestContext) => Promise<void>;

/**
 * Serves `serviceProtocol.ts`: the returned function takes whatever comes over the channel. Each request ends with `done`
 * or with one `error`; what is no request is passed over, with a line on standard error. Nothing is answered after the
 * last answer of a request.
 */
export function answerRequests(handle: RequestHandler, send: (answer: ServiceAnswer) => void) {
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
      answer(failure(error));
    } finally {
      running.delete(id);
    }
  }

  return (message: unknown): void => {
    const parsed = serviceRequestSchema.safeParse(message);
    if (!parsed.success) {
      console.error(`A message that is not a request was skipped: ${parsed.error.message}`);
      return;
    }
    if ('cancel' in parsed.data) running.get(parsed.data.id)?.abort();
    else if (running.has(parsed.data.id)) console.error(`A request came twice under the id ${parsed.data.id}.`);
    else void run(parsed.data.id, parsed.data.request);
  };
}

function failure(error: unknown): ServiceAnswerBody {
  if (error instanceof CancelledError) return { type: 'error', kind: 'cancelled', message: error.message };
  if (error instanceof UserError) {
    const message = error.kind === 'weights' ? weightsAdviceForEditor(error.message) : error.message;
    return { type: 'error', kind: 'user', message };
  }
  // The stack goes where bugs are looked for; the user sees a sentence.
  console.error(error instanceof Error ? error.stack : error);
  return { type: 'error', kind: 'bug', message: messageOf(error).split('\n', 1)[0] ?? '' };
}

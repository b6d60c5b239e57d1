import { CancelledError, messageOf } from '../../protocol/errors.ts';
import type { EndOfWork, Webhook } from '../webhook/webhook.ts';

/**
 * Does the work of a command, and tells the webhook, where there is one, how it ended: `endOf` says so of what it came to, a
 * failure or a stop is told as such. `say` hears why it did not arrive.
 */
export async function tellWebhook<Result>(
  webhook: Webhook | undefined,
  what: Pick<EndOfWork, 'kind' | 'name'>,
  work: () => Promise<Result>,
  endOf: (result: Result) => Omit<EndOfWork, 'kind' | 'name'>,
  say: (line: string) => void,
): Promise<Result> {
  const tell = async (end: Omit<EndOfWork, 'kind' | 'name'>) => {
    const why = await webhook?.tell({ ...what, ...end });
    if (why !== undefined) say(why);
  };
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    const stopped = error instanceof CancelledError;
    await tell({ state: stopped ? 'stopped' : 'failed', reason: stopped ? 'Stopped on request.' : messageOf(error) });
    throw error;
  }
  await tell(endOf(result));
  return result;
}

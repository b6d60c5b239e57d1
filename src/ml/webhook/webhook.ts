import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fetch } from 'undici';
import { duration } from '../../protocol/duration.ts';
import { usageError, UserError } from '../../protocol/errors.ts';
import { plural } from '../../protocol/plural.ts';
import type { WebhookMessage } from '../../protocol/webhook.ts';
import { connectionsTo } from '../weights/connections.ts';

/** The environment variable that names the address. */
export const webhookVariable = 'FIVECROP_WEBHOOK';

/** What is told of work that has ended; the rest is known here. */
export type EndOfWork = Omit<WebhookMessage, 'version' | 'seconds' | 'host' | 'text'>;

/** An address that hears of the end of a run, a study or a sweep. */
export interface Webhook {
  /** Sends the message, and resolves with why it did not arrive, in a sentence, or with nothing. Never rejects. */
  readonly tell: (end: EndOfWork) => Promise<string | undefined>;
}

/** How patient a webhook is, in milliseconds. */
export interface WebhookPatience {
  /** For an answer. */
  readonly answer: number;
  /** Before each further attempt. */
  readonly pauses: readonly number[];
}
const usualPatience: WebhookPatience = { answer: 3000, pauses: [500, 1000] };

/**
 * The webhook at an address; the time that it tells begins here. The address may hold a secret: no sentence of ours has more
 * of it than its host. Throws a usage error for what is no http or https address.
 */
export function openWebhook(given: string, patience = usualPatience): Webhook {
  const address = URL.canParse(given) ? new URL(given) : undefined;
  if (!address || !['http:', 'https:'].includes(address.protocol))
    throw usageError(`The webhook (--webhook or ${webhookVariable}) is not an http or https address.`);
  const began = performance.now();
  return {
    tell: async (end) => {
      const body = JSON.stringify(messageOf(end, (performance.now() - began) / 1000));
      const why = await post(address, body, patience);
      return why === undefined ? undefined : `The webhook at ${address.host} was not told of the end: ${why}.`;
    },
  };
}

/** The webhook that an environment names, or why there is none, where it names what is none. */
export function webhookOf(environment: NodeJS.ProcessEnv): Webhook | undefined {
  const given = environment[webhookVariable]?.trim() ?? '';
  if (given === '') return undefined;
  try {
    return openWebhook(given);
  } catch {
    // Nobody loses a training to a mistyped address.
    return { tell: () => Promise.resolve('The webhook was not told of the end: it is not an http or https address.') };
  }
}

function messageOf(end: EndOfWork, seconds: number): WebhookMessage {
  const host = hostname();
  return { version: 1, ...end, seconds: Number(seconds.toFixed(1)), host, text: textOf(end, seconds, host) };
}

/** `Run roses finished on lab3 after 12 min: validation accuracy 0.923 of 818 images.` */
function textOf({ kind, name, state, reason, best, runs }: EndOfWork, seconds: number, host: string): string {
  const what = `${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${name} ${state} on ${host} after ${duration(seconds)}`;
  const images = best?.images === undefined ? '' : ` of ${plural(best.images, 'image')}`;
  const whose = best === undefined || best.run === name ? '' : ` (${best.run})`;
  const facts = [
    ...(runs === undefined ? [] : [`${plural(runs.finished, 'run')} finished, ${runs.failed} failed`]),
    ...(best === undefined ? [] : [`best validation accuracy ${best.accuracy.toFixed(3)}${images}${whose}`]),
  ];
  const why = state === 'finished' ? '' : ` ${reason}`;
  return `${what}${facts.length > 0 ? `: ${facts.join('; ')}` : ''}.${why}`;
}

/** Resolves with why the message was not taken, as words behind a colon. */
async function post(address: URL, body: string, { answer, pauses }: WebhookPatience): Promise<string | undefined> {
  let why: string | undefined;
  for (const pause of [0, ...pauses]) {
    await delay(pause);
    const { reason, isFinal } = await attempt(address, body, answer);
    why = reason;
    if (isFinal) break;
  }
  return why;
}

interface Attempt {
  readonly reason?: string;
  /** Whether another attempt would only repeat it. */
  readonly isFinal: boolean;
}

async function attempt(address: URL, body: string, patience: number): Promise<Attempt> {
  try {
    const { username, password } = address;
    const bare = new URL(address);
    // `fetch` refuses addresses with a name and a password in them.
    [bare.username, bare.password] = ['', ''];
    const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
    const response = await fetch(bare.href, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        ...(username === '' && password === '' ? {} : { authorization: `Basic ${login}` }),
      },
      // What it would be sent on to is an address that nobody named.
      redirect: 'manual',
      signal: AbortSignal.timeout(patience),
      dispatcher: connectionsTo(bare),
    });
    const { ok, status } = response;
    // Nobody reads the answer, however long it is.
    response.body?.cancel().catch(() => undefined);
    if (ok) return { isFinal: true };
    return { reason: `the server answered ${status}`, isFinal: status < 500 && status !== 408 && status !== 429 };
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError')
      return { reason: `no answer came within ${patience / 1000} s`, isFinal: false };
    // Of a proxy that is none.
    if (error instanceof UserError) return { reason: error.message.replace(/\.$/u, ''), isFinal: true };
    return { reason: 'the server cannot be reached', isFinal: false };
  }
}

import process from 'node:process';
import { fetch, type Response } from 'undici';
import { userError } from '../../protocol/errors.ts';
import { connectionsTo } from './connections.ts';
import { hostOf, hubAddress, isAtHub } from './hubAddress.ts';

/** A failure that another attempt would only repeat. */
export class FinalFailure extends Error {}

/** What a server answered in place of a file. */
export class ServerRefusal extends Error {
  readonly status: number;
  /** The address that answered so. */
  readonly url: string;
  /** The address that was asked for; that server may have sent on to another. */
  readonly asked: string;
  /** Why, in the hub's words: `GatedRepo`, `RepoNotFound`, `EntryNotFound`. */
  readonly code: string | undefined;
  /** Whether a token was sent along. */
  readonly withToken: boolean;
  constructor(asked: string, { status, headers, url }: Response, withToken: boolean) {
    super(`the server answered ${status}`);
    this.status = status;
    this.url = url;
    this.asked = asked;
    this.code = headers.get('x-error-code') ?? undefined;
    this.withToken = withToken;
  }

  /** Whether another attempt may succeed. */
  get mayPass(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 416;
  }
}

const mostRedirects = 10;

/** The part of a file that is asked for, in bytes, `to` included; all of it without both. */
export interface FilePart {
  readonly from: number;
  readonly to?: number;
}

/**
 * Asks a server for a file or a part of one, and follows redirects. The token of the hub, `HF_TOKEN`, is sent to the hub
 * alone, and no further when that sends us on; a proxy is used where the environment names one (`HTTPS_PROXY`, `HTTP_PROXY`,
 * `NO_PROXY`). Throws `ServerRefusal`, `FinalFailure`, or what the network says.
 */
export async function requestFile(url: string, { from, to }: FilePart, signal: AbortSignal): Promise<Response> {
  const range = from > 0 || to !== undefined ? { range: `bytes=${from}-${to ?? ''}` } : {};
  let address = new URL(url);
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const token = tokenFor(address);
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const headers = { 'accept-encoding': 'identity', ...range, ...authorization };
    const response = await fetch(address.href, {
      headers,
      signal,
      redirect: 'manual',
      dispatcher: connectionsTo(address),
    });
    if (response.ok) return response;
    await response.body?.cancel();
    const next = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || next === null) {
      throw new ServerRefusal(url, response, token !== undefined);
    }
    address = redirected(address, next);
  }
  throw new FinalFailure('the server redirects endlessly');
}

function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw new FinalFailure('the server redirects to an invalid address');
  const to = new URL(location, from.href);
  const isSafe = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
  if (!isSafe) throw new FinalFailure(`the server redirects to an address of another kind (${to.protocol})`);
  return to;
}

/** The user's token, for an address of the hub alone. Throws a user error for a token that cannot be one. */
function tokenFor(address: URL): string | undefined {
  const token = process.env['HF_TOKEN']?.trim() ?? '';
  const isPrivate = address.protocol === 'https:' || /^(127\.|localhost$|\[::1\]$)/u.test(address.hostname);
  if (token === '' || !isAtHub(address) || !isPrivate) return undefined;
  if (/^[\x21-\x7e]+$/u.test(token)) return token;
  throw userError(
    `HF_TOKEN holds characters that no token of ${hostOf(hubAddress())} has: copy it again, or unset it.`,
  );
}

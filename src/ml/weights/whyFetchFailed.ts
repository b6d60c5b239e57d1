import { messageOf, UserError } from '../../protocol/errors.ts';
import { ServerRefusal } from './httpRequest.ts';
import { hostOf, hubAddress, isAtHub } from './hubAddress.ts';

/** Why a server gave no file, as words that follow its name. `repository` is what is asked for at the hub. */
export function whyFetchFailed(error: unknown, repository?: string): string {
  const cause = error instanceof UserError ? error.cause : error;
  if (cause instanceof ServerRefusal) return whyRefused(cause, repository);
  const message = messageOf(cause);
  if (/^what arrived is another file|^the server sends more/.test(message)) return 'has another file under its name';
  if (message.startsWith('the server sends')) return message.replace('the server ', '');
  const proxy = /Proxy response \((\d+)\)/u.exec(cause instanceof Error ? messageOf(cause.cause) : '')?.[1];
  if (proxy !== undefined) return `cannot be reached, because the proxy of the environment answered ${proxy}`;
  if (/no data arrived for a while|was cut/.test(message))
    return 'broke off before the file was whole (what has arrived is kept: try again)';
  // `fetch` wraps what the network says.
  const isNetwork = cause instanceof TypeError || (cause instanceof Error && cause.name === 'TimeoutError');
  if (isNetwork || message.includes('does not answer')) return 'cannot be reached';
  return `could not be used (${message})`;
}

function whyRefused(refusal: ServerRefusal, repository: string | undefined): string {
  const { url, asked } = refusal;
  const host = hostOf(url);
  const why = whyRefusedBy(refusal, repository);
  return host === hostOf(asked) ? why : `sends to ${host}, which ${why}`;
}

function whyRefusedBy({ status, url, code, withToken }: ServerRefusal, repository: string | undefined): string {
  const isHub = isAtHub(new URL(url));
  if (code === 'RepoNotFound' || code === 'RevisionNotFound') return `has no ${repository ?? 'such repository'}`;
  if (isHub && (status === 401 || status === 403)) return whyLocked(status, code, withToken, repository);
  if (status === 401) return 'asks for a login';
  if ([403, 404, 410].includes(status)) return 'does not have the file';
  return status === 429 ? 'answered 429, too many requests (try again later)' : `answered ${status}`;
}

/** The hub keeps some repositories for people who have agreed to a licence. */
function whyLocked(
  status: number,
  code: string | undefined,
  withToken: boolean,
  repository: string | undefined,
): string {
  const hub = hubAddress();
  const page = repository === undefined ? hub : `${hub}/${repository}`;
  if (!withToken) {
    return `asks for a login (agree to the license on ${page} if it has one, make a token on ${hub}/settings/tokens, and set HF_TOKEN to it)`;
  }
  if (status === 401 && code !== 'GatedRepo') {
    return `does not accept the token in HF_TOKEN (make a new one on ${hub}/settings/tokens)`;
  }
  return `does not let the account of HF_TOKEN have it (agree to the license on ${page}, and wait until that is approved)`;
}

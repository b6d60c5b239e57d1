import type { RemoteState } from '../../../protocol/remoteMessages.ts';

const sentences: Readonly<Record<RemoteState, (host: string) => string>> = {
  waiting: (host) => `it waits on ${host}`,
  training: (host) => `it trains on ${host}`,
  over: (host) => `it has ended on ${host}`,
  lost: (host) => `its process on ${host} ended without a word`,
  gone: (host) => `it is not on ${host} any more`,
};

/** How a run does on a host, as a sentence without its full stop. */
export function remoteSentence(host: string, state: RemoteState): string {
  return sentences[state](host);
}

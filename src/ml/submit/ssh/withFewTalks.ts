import { limitedTo } from '../../../protocol/limitedTo.ts';
import type { RemoteHost } from './remoteHost.ts';

/** Programs that talk to one host at the same time: sshd refuses more than ten that have still to log in. */
const most = 4;

/** A host of which several runs ask something at the same time: more than a few of them wait for their turn. */
export function withFewTalks(host: RemoteHost): RemoteHost {
  const inTurn = limitedTo(most);
  const wrap = (plain: RemoteHost): RemoteHost => ({
    name: plain.name,
    ask: (request) => inTurn(() => plain.ask(request)),
    status: (request) => inTurn(() => plain.status(request)),
    push: (from, to, options) => inTurn(() => plain.push(from, to, options)),
    pull: (from, to) => inTurn(() => plain.pull(from, to)),
    under: (signal) => wrap(plain.under(signal)),
    close: plain.close,
  });
  return wrap(host);
}

import { UserError, userError } from '../../../protocol/errors.ts';

/** What the system calls it when nobody is at the other end; marks the failures that another try may not have. */
const notConnected = 'ENOTCONN';

/** Why a host could not be reached or stopped answering, from what ssh said on its standard error. */
export function connectionError(host: string, said: string): UserError {
  if (said.includes('REMOTE HOST IDENTIFICATION HAS CHANGED'))
    return userError(
      `The host key of ${host} is another one than before: find out why; if it is right, remove the old one with ssh-keygen -R.`,
    );
  if (/Host key verification failed|No .* host key is known/u.test(said))
    return userError(`The host key of ${host} is not known: connect with ssh ${host} once and compare it.`);
  if (said.includes('Permission denied'))
    return userError(
      `${host} does not let this user in without a password: put a key there with ssh-copy-id ${host}, and load it with ssh-add if it has a passphrase.`,
    );
  if (
    /Bad (?:configuration option|owner or permissions)|Too many authentication failures|no such identity/iu.test(said)
  )
    return userError(`ssh ${host} fails: ${lastLine(said)}.`);
  const cause = Object.assign(new Error(said), { code: notConnected });
  return userError(`${host} cannot be reached: ${lastLine(said) || 'the connection was closed'}.`, cause);
}

/** Whether another try may succeed. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof UserError && error.cause instanceof Error && 'code' in error.cause
    ? error.cause.code === notConnected
    : false;
}

/** The last line that says something, without its full stop. */
export function lastLine(text: string): string {
  const lines = text.split(/[\r\n]+/u).map((line) => line.trim());
  return (lines.findLast((line) => line !== '') ?? '').replace(/\.$/u, '');
}

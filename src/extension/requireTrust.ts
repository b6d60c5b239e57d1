import * as vscode from 'vscode';
import { userError } from '../protocol/errors.ts';

/** Throws a user error in an untrusted workspace: its files are looked at there, but not loaded into native code. */
export function requireTrust(what: string): void {
  const refusal = untrustedRefusal(what);
  if (refusal !== undefined) throw userError(refusal);
}

/** The sentence of that error, for pages that say it before anyone asks; undefined in a trusted workspace. */
export function untrustedRefusal(what: string): string | undefined {
  if (vscode.workspace.isTrusted) return undefined;
  return `${what} waits until you trust this workspace; “Workspaces: Manage Workspace Trust” does that.`;
}

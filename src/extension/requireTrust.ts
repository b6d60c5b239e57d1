import * as vscode from 'vscode';
import { userError } from '../protocol/errors.ts';

/** Throws a user error in an untrusted workspace: its files are looked at there, but not loaded into native code. */
export function requireTrust(what: string): void {
  if (vscode.workspace.isTrusted) return;
  throw userError(`${what} waits until you trust this workspace; *Workspaces: Manage Workspace Trust* does that.`);
}

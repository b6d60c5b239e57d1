import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { userError } from '../protocol/errors.ts';

/** What waits until the workspace is trusted: its files are looked at before, but not loaded into native code. */
export type NeedsTrust = keyof typeof refusals;

const refusals = {
  agents: l10n.t(
    'Tools of agents wait until you trust this workspace; “Workspaces: Manage Workspace Trust” does that.',
  ),
  training: l10n.t('Training waits until you trust this workspace; “Workspaces: Manage Workspace Trust” does that.'),
  controlling: l10n.t(
    'A training process is not controlled until you trust this workspace; “Workspaces: Manage Workspace Trust” does that.',
  ),
  classifying: l10n.t(
    'Classifying waits until you trust this workspace; “Workspaces: Manage Workspace Trust” does that.',
  ),
  testing: l10n.t('Testing waits until you trust this workspace; “Workspaces: Manage Workspace Trust” does that.'),
  exporting: l10n.t('Exporting waits until you trust this workspace; “Workspaces: Manage Workspace Trust” does that.'),
  importing: l10n.t('Importing waits until you trust this workspace; “Workspaces: Manage Workspace Trust” does that.'),
  checkingData: l10n.t(
    'Checking data waits until you trust this workspace; “Workspaces: Manage Workspace Trust” does that.',
  ),
};

/** Throws a user error in an untrusted workspace. */
export function requireTrust(what: NeedsTrust): void {
  const refusal = untrustedRefusal(what);
  if (refusal !== undefined) throw userError(refusal);
}

/** The sentence of that error, for pages that say it before anyone asks; undefined in a trusted workspace. */
export function untrustedRefusal(what: NeedsTrust): string | undefined {
  return vscode.workspace.isTrusted ? undefined : refusals[what];
}

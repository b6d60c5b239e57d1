import * as l10n from '@vscode/l10n';
import { userError } from '../../protocol/errors.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';

/** Where new runs go. Throws a user error where nothing is open or nothing may run. */
export function runsFolder({ runs }: Pick<Parts, 'runs'>): string {
  const [folder] = runs.folders;
  if (folder === undefined)
    throw userError(l10n.t('Open a folder first: runs and their checkpoints are kept inside it.'));
  requireTrust('training');
  return folder;
}

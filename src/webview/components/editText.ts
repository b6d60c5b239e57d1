import * as l10n from '@vscode/l10n';
import { fileName, images } from '../../charts/format.ts';
import type { DataEdit } from '../../protocol/dataEdits.ts';

/** What a class's folder is called. */
export type ClassName = (folder: string) => string;

/** What an edit does, as *Undo* and *Redo* say it. */
export function editText(edit: DataEdit, name: ClassName): string {
  switch (edit.kind) {
    case 'move':
      return l10n.t('move {0} to {1}', filesText(edit.images), name(edit.to));
    case 'putAside':
      return l10n.t('put {0} aside', filesText(edit.images));
    case 'keep':
      return l10n.t('keep {0}', filesText(edit.images));
    case 'label':
      return l10n.t('label {0} as {1}', filesText(edit.images), name(edit.to));
    case 'skip':
      return l10n.t('skip {0}', filesText(edit.images));
    case 'rename':
      return l10n.t('rename {0} to {1}', edit.from, edit.to);
    case 'merge':
      return l10n.t('merge {0} into {1}', edit.from, edit.to);
  }
}

function filesText(paths: readonly string[]): string {
  return paths.length === 1 ? fileName(paths[0] ?? '') : images(paths.length);
}

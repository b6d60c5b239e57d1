import type { DataEdit } from '../../protocol/dataEdits.ts';
import { plural } from '../../protocol/plural.ts';

/** What an edit does, as the shell lists it: `rose/1.jpg to tulip`. */
export function editSentence(edit: DataEdit): string {
  switch (edit.kind) {
    case 'move':
      return `move ${named(edit.images)} to ${edit.to}`;
    case 'putAside':
      return `put ${named(edit.images)} aside`;
    case 'keep':
      return `keep ${named(edit.images)}`;
    case 'label':
      return `label ${named(edit.images)} as ${edit.to}`;
    case 'skip':
      return `skip ${named(edit.images)}`;
    case 'rename':
      return `rename ${edit.from} to ${edit.to}`;
    case 'merge':
      return `merge ${edit.from} into ${edit.to}`;
  }
}

function named([first, ...others]: readonly string[]): string {
  return others.length === 0 ? (first ?? '') : `${first ?? ''} and ${plural(others.length, 'more image')}`;
}

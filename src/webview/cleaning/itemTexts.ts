import * as l10n from '@vscode/l10n';
import { type Cleaning, type CleaningItem, type CleaningKind, cleaningKinds } from '../../protocol/cleaning.ts';
import type { DataEdit } from '../../protocol/dataEdits.ts';
import { count, fileName, images, percent } from '../../charts/format.ts';

/** What a class's folder is called. */
export type ClassName = (folder: string) => string;

export function classNamesOf({ classes }: Cleaning): ClassName {
  const names = new Map(classes.map(({ folder, name }) => [folder, name]));
  return (folder) => names.get(folder) ?? folder;
}

export function kindTitle(kind: CleaningKind): string {
  return {
    label: l10n.t('Wrong class?'),
    duplicate: l10n.t('Near-duplicates'),
    unsure: l10n.t('Unsure'),
    outlier: l10n.t('Outliers'),
    quality: l10n.t('Poor quality'),
    chosen: l10n.t('Selected on the map'),
  }[kind];
}

/** The kinds to choose from: images that were selected on a map only if there are any, or were. */
export function offeredKinds(cleaning: Cleaning | undefined, shown: CleaningKind): CleaningKind[] {
  return cleaningKinds.filter((kind) => kind !== 'chosen' || kind === shown || (cleaning?.counts.chosen ?? 0) > 0);
}

/** How many images of a kind are listed, and of how many where not all are. */
export function shownOf({ items, counts }: Cleaning, kind: CleaningKind): string {
  const listed = items.filter((item) => item.kind === kind).length;
  const all = counts[kind];
  return listed < all ? l10n.t('first {0} of {1}', count(listed), count(all)) : count(all);
}

const looks = {
  blurred: l10n.t('blurred'),
  dark: l10n.t('dark'),
  bright: l10n.t('bright'),
  flat: l10n.t('without contrast'),
  elongated: l10n.t('long and narrow'),
};

/** Why an image is shown, in a few words. */
export function reasonOf(
  { kind, folder, likely, probability, score, twin, what }: CleaningItem,
  name: ClassName,
): string {
  switch (kind) {
    case 'label':
      return l10n.t('{0} is more likely ({1})', name(likely), percent(probability, 0));
    case 'duplicate':
      return l10n.t('nearly the same as {0}', fileName(twin ?? ''));
    case 'chosen':
      if (likely !== folder) return l10n.t('{0} is more likely ({1})', name(likely), percent(probability, 0));
      return l10n.t('{0} confident', percent(probability, 0));
    case 'unsure':
      return l10n.t('{0} confident', percent(probability, 0));
    case 'outlier':
      return l10n.t('unlike its neighbors ({0})', percent(score, 0));
    case 'quality':
      return what === undefined ? '' : looks[what];
  }
}

/** What Enter does with an image: what is likely right, if there is such a thing. */
export function acceptedEdit({ kind, image, folder, likely }: CleaningItem): DataEdit | undefined {
  if (kind === 'duplicate' || kind === 'quality') return { kind: 'putAside', images: [image] };
  return likely === folder ? undefined : { kind: 'move', images: [image], to: likely };
}

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

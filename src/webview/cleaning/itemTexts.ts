import * as l10n from '@vscode/l10n';
import { type Cleaning, type CleaningItem, type CleaningKind, cleaningKinds } from '../../protocol/cleaning.ts';
import type { DataEdit } from '../../protocol/dataEdits.ts';
import { count, fileName, percent } from '../../charts/format.ts';
import type { ClassName } from '../components/editText.ts';

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

import { splitNames, type SplitName } from './dataReport.ts';

/**
 * What people call the folders of a split, in lower case and without separators. `eval` is testing and `dev` is
 * validation, as Hugging Face's `datasets` reads them.
 */
const spellings: Readonly<Record<SplitName, readonly string[]>> = {
  train: ['train', 'training', 'trn'],
  valid: ['valid', 'val', 'validation', 'validate', 'dev', 'devel', 'development'],
  test: ['test', 'testing', 'tst', 'eval', 'evaluation', 'holdout', 'heldout'],
};

const splitOfSpelling = new Map(splitNames.flatMap((split) => spellings[split].map((word) => [word, split] as const)));

/** The split that a folder's name says, in any case: `Train`, `test_set`, `hold-out`; undefined for any other name. */
export function splitOfFolder(name: string): SplitName | undefined {
  const plain = name.toLowerCase().replaceAll(/[\s_.-]+/gu, '');
  return splitOfSpelling.get(plain) ?? splitOfSpelling.get(plain.replace(/(?:set|split|data|images)$/u, ''));
}

/** A name that has a split's among its words, as `seg_train` and `val2017` do, and what is left of it without. */
export interface SplitHint {
  readonly split: SplitName;
  /** Equal for names that differ in the split alone. */
  readonly rest: string;
}

/** The split that a word inside a name says; undefined where none does. */
export function hintAtSplit(name: string): SplitHint | undefined {
  const words: string[] = name.replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2').match(/\p{L}+|\P{L}+/gu) ?? [];
  const at = words.findIndex((word) => splitOfSpelling.has(word.toLowerCase()));
  const split = splitOfSpelling.get(words[at]?.toLowerCase() ?? '');
  return split && { split, rest: words.with(at, '*').join('').toLowerCase() };
}

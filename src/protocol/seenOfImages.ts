import type { Evaluation } from './evaluation.ts';
import { seesWholeImage } from './preprocessing.ts';

/** What the networks saw of each image in tests with the same number of crops. */
export function seenOfImages(tests: readonly Pick<Evaluation, 'cropCount' | 'fit'>[]): string {
  const seen = tests.map(({ cropCount, fit }) => {
    if (seesWholeImage(fit)) return 'the whole image';
    return cropCount === 1 ? 'the center crop' : 'five crops';
  });
  return [...new Set(seen)].join(' or ');
}

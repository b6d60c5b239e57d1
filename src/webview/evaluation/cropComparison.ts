import type { CropCount } from '../../protocol/serviceProtocol.ts';
import type { ImageResult } from './confusions.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

/** The tests of the same images with one crop and with five. */
export type TestPair = { 1?: ShownEvaluation; 5?: ShownEvaluation };

/** Images by what one crop and five make of them, those that both tests have. */
export type CropCounts = { both: number; onlyOne: number; onlyFive: number; neither: number };

/** How many images one crop and five get right; undefined unless both were tested. */
export function cropCounts(pair: TestPair): CropCounts | undefined {
  const rows = commonResults(pair);
  if (!rows) return undefined;
  const counts = { both: 0, onlyOne: 0, onlyFive: 0, neither: 0 };
  for (const [one, five] of rows) {
    if (isRight(one)) counts[isRight(five) ? 'both' : 'onlyOne']++;
    else counts[isRight(five) ? 'onlyFive' : 'neither']++;
  }
  return counts;
}

/** Images that are right by so many crops alone, as the others see them: that says what they are taken for. */
export function onlyRightBy(crops: CropCount, pair: TestPair): ImageResult[] {
  return (commonResults(pair) ?? []).flatMap(([one, five]) => {
    const [own, other] = crops === 1 ? [one, five] : [five, one];
    return isRight(own) && !isRight(other) ? [other] : [];
  });
}

function commonResults({ 1: one, 5: five }: TestPair): [ImageResult, ImageResult][] | undefined {
  if (!one || !five) return undefined;
  const byImage = new Map(five.results.map((result) => [result.image, result]));
  return one.results.flatMap((result): [ImageResult, ImageResult][] => {
    const other = byImage.get(result.image);
    return other ? [[result, other]] : [];
  });
}

function isRight({ actual, predicted }: ImageResult): boolean {
  return actual === predicted;
}

import type { ImageFeatures } from './featureModel.ts';
import type { Neighbours } from './neighbours.ts';
import { pictureLikeness } from './samePicture.ts';

/** Two rows whose images are nearly the same, `twin` ahead of `row`. */
export interface NearDuplicate {
  readonly row: number;
  readonly twin: number;
  /** Cosine of their features or correlation of their pictures, whichever is more. */
  readonly score: number;
}

/** How far from 1 the likeness of near-duplicates may be. */
const farthest = 0.05;
/** It is no farther than this share of what is usual of neighbours, for images that are all alike. */
const shareOfUsual = 0.25;
/** The likeness of the very same images may be this far from 1, by rounding. */
const rounding = 1e-6;

/**
 * Neighbours that show nearly the same: by their features, which see the same flower from a step aside, or by their pictures,
 * which stay the same when an image is saved anew, resized, cropped by a few percent, turned or mirrored. A copy is looked
 * for among those nearest by features, and, since what features make of a picture that is turned depends on the network,
 * among those that look alike however they are turned (`symmetricLooks`).
 */
export function nearDuplicates(
  { grids }: Pick<ImageFeatures, 'grids'>,
  neighbours: Neighbours,
  lookAlikes: Pick<Neighbours, 'rows' | 'count'>,
): NearDuplicate[] {
  const { rows, cosines, count } = neighbours;
  const pairs = new Map<
    string,
    Omit<NearDuplicate, 'score'> & { readonly cosine: number; readonly likeness: number }
  >();
  const likenessOf = pictureLikeness(grids);
  /** Of each row the least cosine and likeness of its neighbours. */
  const [leastCosines, leastLikenesses]: [number[], number[]] = [[], []];
  for (let own = 0; own < rows.length / count; own++) {
    const [found, alike]: [number[], number[]] = [[], []];
    for (let at = own * count; at < (own + 1) * count; at++) {
      const other = rows[at] ?? -1;
      if (other < 0) continue;
      const [twin, row, cosine] = [Math.min(own, other), Math.max(own, other), cosines[at] ?? 0];
      const likeness = pairs.get(`${twin} ${row}`)?.likeness ?? likenessOf(twin, row);
      pairs.set(`${twin} ${row}`, { row, twin, cosine, likeness });
      found.push(cosine);
      alike.push(likeness);
    }
    if (found.length === 0) continue;
    leastCosines.push(Math.min(...found));
    leastLikenesses.push(Math.min(...alike));
  }
  lookAlikes.rows.forEach((other, at) => {
    if (other < 0) return;
    const own = Math.floor(at / lookAlikes.count);
    const [twin, row] = [Math.min(own, other), Math.max(own, other)];
    const key = `${twin} ${row}`;
    if (!pairs.has(key)) pairs.set(key, { row, twin, cosine: -1, likeness: likenessOf(twin, row) });
  });
  const [leastCosine, leastLikeness] = [boundFor(leastCosines, count), boundFor(leastLikenesses, count)];
  return [...pairs.values()].flatMap(({ row, twin, cosine, likeness }) => {
    const score = Math.max(cosine >= leastCosine ? cosine : 0, likeness >= leastLikeness ? likeness : 0);
    return score > 0 ? [{ row, twin, score: Math.min(1, score) }] : [];
  });
}

/**
 * From which on a likeness is that of near-duplicates. `usual` has what each image has in common with the least of its
 * neighbours; of few images that says nothing.
 */
function boundFor(usual: readonly number[], neighbours: number): number {
  if (usual.length < 2 * neighbours) return 1 - farthest;
  const median = usual.toSorted((a, b) => a - b)[Math.floor(usual.length / 2)] ?? 0;
  return 1 - Math.max(rounding, Math.min(farthest, shareOfUsual * (1 - median)));
}

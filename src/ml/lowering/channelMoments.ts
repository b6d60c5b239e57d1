import type { Lowering, Moments } from './lowering.ts';

/**
 * The moments of an image. What is known of an image's parts is not computed again for the image that is joined from
 * them, as in a dense block, where the moments of all parts `canJoin` can be joined; `compute` appends those of others.
 */
export function channelMoments(
  lowering: Lowering,
  image: string,
  canJoin: (part: string) => boolean,
  compute: (image: string) => Moments,
): Moments {
  const known = lowering.moments.get(image);
  if (known) return known;
  const parts = lowering.joins.get(image);
  const moments = parts?.every(canJoin)
    ? joinMoments(
        lowering,
        parts.map((part) => channelMoments(lowering, part, canJoin, compute)),
      )
    : compute(image);
  lowering.moments.set(image, moments);
  return moments;
}

function joinMoments({ emit }: Lowering, parts: readonly Moments[]): Moments {
  const join = (values: readonly string[]) => emit('Concat', values, { axis: 0 });
  return {
    mean: join(parts.map(({ mean }) => mean)),
    meanSquare: join(parts.map(({ meanSquare }) => meanSquare)),
  };
}

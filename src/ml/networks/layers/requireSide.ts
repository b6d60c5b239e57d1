import { imageShape } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';

/** Throws `RangeError`, a clause, for images `[N, 3, H, W]` of which nothing would be left, since they have fewer than `least` pixels. */
export function requireSide(builder: GraphBuilder, images: string, least: number): void {
  const [, , height, width] = imageShape(builder, images);
  if (Math.min(height, width) < least) throw new RangeError(`the network takes images of ${least} pixels and more`);
}

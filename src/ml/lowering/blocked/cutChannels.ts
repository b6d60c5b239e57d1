import { imageShape } from '../../graph/builder.ts';
import { blocked } from './blockedLayout.ts';
import { shapeAfter, type Lowering } from '../lowering.ts';

/**
 * The channels from `start` to before `end`, by whole blocks, not before the value `after` is there. A gather copies
 * them on all cores, a Slice on one.
 */
export function cutChannels(
  lowering: Lowering,
  image: string,
  [start, end]: readonly [number, number],
  { after, output }: { readonly after?: string; readonly output?: string | undefined },
): string {
  const { emit, integers, block } = lowering;
  const [n, channels, h, w] = imageShape(lowering.graph, image);
  const shape = [n, channels / block, h * w * block];
  const blocks = emit('Reshape', [
    blocked(lowering, image),
    after === undefined ? integers(shape) : shapeAfter(lowering, shape, [after]),
  ]);
  const first = start / block;
  const wanted = integers(Array.from({ length: end / block - first }, (_, index) => first + index));
  const part = emit('Gather', [blocks, wanted], { axis: 1 });
  return emit('Reshape', [part, integers([n, end - start, h, w])], {}, output);
}

/**
 * In a dense block each layer's join is the beginning of the next layer's. The backward pass cuts it from that one when
 * its gradient is there, so that of all joins only a block's last is kept. Undefined for other images.
 */
export function cutFromLaterJoin(lowering: Lowering, image: string, gradient: string): string | undefined {
  const known = lowering.alias.get(image);
  if (known !== undefined) return known;
  if (!lowering.joins.has(image)) return undefined;
  const whole = [...lowering.joins].find(([, parts]) => parts[0] === image)?.[0];
  if (whole === undefined) return undefined;
  const cut = cutChannels(lowering, whole, [0, imageShape(lowering.graph, image)[1]], { after: gradient });
  lowering.alias.set(image, cut);
  return cut;
}

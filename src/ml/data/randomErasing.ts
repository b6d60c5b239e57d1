import type { Random } from '../graph/random.ts';

const areaRange = [0.02, 0.33] as const;
const ratioRange = [0.3, 3.3] as const;

/** A rectangle inside a square image. */
export interface ErasedBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The rectangle of torchvision's `RandomErasing` (Zhong et al. 2017) in a square of `size` pixels: 2% to 33% of the area,
 * height to width from 0.3 to 3.3, ten tries. Undefined where none fitted.
 */
export function drawErasedBox(size: number, random: Random): ErasedBox | undefined {
  const between = ([low, high]: readonly [number, number]) => low + (high - low) * random.next();
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = size * size * between(areaRange);
    const ratio = Math.exp(between([Math.log(ratioRange[0]), Math.log(ratioRange[1])]));
    const [height, width] = [Math.round(Math.sqrt(area * ratio)), Math.round(Math.sqrt(area / ratio))];
    if (height >= size || width >= size) continue;
    const top = random.integer(size - height + 1);
    return { top, left: random.integer(size - width + 1), width, height };
  }
  return undefined;
}

/** Paints a rectangle of planes `[3, size, size]` in one colour, R, G, B. */
export function eraseBox(
  planes: Uint8Array,
  size: number,
  { left, top, width, height }: ErasedBox,
  colour: readonly number[],
): void {
  colour.forEach((level, channel) => {
    for (let row = top; row < top + height; row++) {
      const start = (channel * size + row) * size + left;
      planes.fill(level, start, start + width);
    }
  });
}

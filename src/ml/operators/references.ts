import type { TensorType } from '../graph/graph.ts';
import type { Doubles } from './operator.ts';

/** Sizes of an image. */
export type Sizes = readonly [n: number, c: number, h: number, w: number];

export function sizesOf(type: TensorType | undefined): Sizes {
  const [n = 1, c = 1, h = 1, w = 1] = type?.shape ?? [];
  return [n, c, h, w];
}

/** Element of a value; NaN beyond its end. */
export function at(data: Doubles, index: number): number {
  return data[index] ?? NaN;
}

/** Fills a `[N, C, H, W]` value element by element. */
export function fillImage([n, c, h, w]: Sizes, value: (n: number, c: number, y: number, x: number) => number): Doubles {
  const data = new Float64Array(n * c * h * w);
  for (let i = 0; i < data.length; i++) {
    data[i] = value(Math.floor(i / (c * h * w)), Math.floor(i / (h * w)) % c, Math.floor(i / w) % h, i % w);
  }
  return data;
}

/** Reads a `[N, C, H, W]` value, `outside` beyond its borders. */
export function reader(data: Doubles, [, c, h, w]: Sizes, outside: number) {
  return (n: number, channel: number, y: number, x: number) =>
    y < 0 || y >= h || x < 0 || x >= w ? outside : at(data, ((n * c + channel) * h + y) * w + x);
}

/** Visits every element of an image with its channel. */
export function perChannel(data: Doubles, [, c, h, w]: Sizes, value: (v: number, channel: number) => number): Doubles {
  return data.map((v, index) => value(v, Math.floor(index / (h * w)) % c));
}

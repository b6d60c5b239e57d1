import type { Luma } from '../data/imageQuality.ts';
import type { FeatureRows } from './softmaxHead.ts';

/** Side of a grid of luma, by which pictures are compared. */
const gridSide = 32;
/** Bytes of one. */
export const gridBytes = gridSide * gridSide;
/** Side of what is compared of a grid. */
const side = 16;
const fields = side * side;
/** Fields along the middle of a grid that may be all that a copy shows: of pictures that were cropped. */
const cropped = [30, 28, 26] as const;
/** Pictures that have less in common as they are will not have enough in common cropped. */
const leastWhole = 0.6;

/** The mean luma of each field of a grid, rows from the top: what is left of a picture however it is saved or resized. */
export function lumaGrid({ width, height, values }: Luma): Uint8Array {
  const means = averaged(values, width, shares(0, width, gridSide), shares(0, height, gridSide));
  return Uint8Array.from(means, (mean) => Math.round(mean));
}

/** Tells how alike pictures are by their grids, `[images, gridBytes]`. */
export function pictureLikeness(grids: Uint8Array): (a: number, b: number) => number {
  /** What every picture shows, as it is or in its middle: computed once, since each is compared with many. */
  const shownIn = (length: number) => {
    const images = grids.length / gridBytes;
    const middle = shares((gridSide - length) / 2, length, side);
    const shown = new Float32Array(images * fields);
    for (let image = 0; image < images; image++) {
      const grid = grids.subarray(image * gridBytes, (image + 1) * gridBytes);
      shown.set(centred(averaged(grid, gridSide, middle, middle)), image * fields);
    }
    return (image: number) => shown.subarray(image * fields, (image + 1) * fields);
  };
  const wholeOf = shownIn(gridSide);
  const middles = cropped.map(shownIn);
  /**
   * The correlation of two pictures' luma, at most 1: as they are, turned or mirrored, or one of them with the middle of
   * the other.
   */
  return (a, b) => {
    const [one, other] = [wholeOf(a), wholeOf(b)];
    let most = Math.max(...turns.map((turn) => correlation(one, other, turn)));
    if (most < leastWhole) return most;
    for (const middleOf of middles) {
      most = Math.max(most, correlation(middleOf(a), other), correlation(one, middleOf(b)));
    }
    return Math.min(1, most);
  };
}

/**
 * Numbers of each picture, `[images, fields]`, that stay as they are when it is turned or mirrored: sizes of the waves that
 * its luma is made of (discrete cosine transform), of which a mirror changes signs alone and a turn exchanges those along
 * and across, so that of each such two the larger comes first. Their products are no less than `pictureLikeness` of whole
 * pictures, since neither signs nor an order add to a distance.
 */
export function symmetricLooks(grids: Uint8Array): FeatureRows {
  const images = grids.length / gridBytes;
  const whole = shares(0, gridSide, side);
  const looks = new Float32Array(images * fields);
  for (let image = 0; image < images; image++) {
    const grid = grids.subarray(image * gridBytes, (image + 1) * gridBytes);
    const own = wavesOf(centred(averaged(grid, gridSide, whole, whole)));
    for (let down = 0; down < side; down++) {
      for (let across = 0; across <= down; across++) {
        const [one, other] = [own[down * side + across] ?? 0, own[across * side + down] ?? 0].map(Math.abs);
        looks[image * fields + down * side + across] = Math.max(one ?? 0, other ?? 0);
        if (across < down) looks[image * fields + across * side + down] = Math.min(one ?? 0, other ?? 0);
      }
    }
  }
  return { width: fields, features: looks };
}

/** `[side, side]`: waves of a line, each of length 1. */
const waves = Float32Array.from({ length: fields }, (_, at) => {
  const [wave, place] = [Math.floor(at / side), at % side];
  return Math.sqrt((wave === 0 ? 1 : 2) / side) * Math.cos((Math.PI * wave * (2 * place + 1)) / (2 * side));
});

/** The cosine transform of a square of values, down and across. */
function wavesOf(values: Float32Array): Float32Array {
  return alongColumns(alongColumns(values));
}

/** The cosine transform of each column, as a row. */
function alongColumns(values: Float32Array): Float32Array {
  const found = new Float32Array(fields);
  for (let column = 0; column < side; column++) {
    for (let wave = 0; wave < side; wave++) {
      let sum = 0;
      for (let place = 0; place < side; place++) sum += (waves[wave * side + place] ?? 0) * (values[place * side + column] ?? 0); // prettier-ignore
      found[column * side + wave] = sum;
    }
  }
  return found;
}

/** The place that each field comes from, in the eight ways in which a square can be turned and mirrored. */
const turns = [false, true].flatMap((mirrored) =>
  [0, 1, 2, 3].map((quarters) =>
    Uint16Array.from({ length: fields }, (_, at) => {
      let [row, column] = [Math.floor(at / side), at % side];
      if (mirrored) column = side - 1 - column;
      for (let quarter = 0; quarter < quarters; quarter++) [row, column] = [column, side - 1 - row];
      return row * side + column;
    }),
  ),
);
const [asItIs = new Uint16Array()] = turns;

function correlation(a: Float32Array, b: Float32Array, places: Uint16Array = asItIs): number {
  let sum = 0;
  for (let at = 0; at < fields; at++) sum += (a[places[at] ?? 0] ?? 0) * (b[at] ?? 0);
  return sum;
}

/** Brought to mean 0 and length 1; all 0 for a picture of one luma. */
function centred(values: Float32Array): Float32Array {
  let [sum, squares] = [0, 0];
  for (const value of values) sum += value;
  const mean = sum / values.length;
  for (const value of values) squares += (value - mean) ** 2;
  const length = Math.sqrt(squares);
  return values.map((value) => (length > 0 ? (value - mean) / length : 0));
}

/** Which places of a line each of some fields begins with, and by which share of the field it covers them. */
type LineShares = readonly { readonly first: number; readonly shares: readonly number[] }[];

/** `count` equal fields of a part of a line. Their edges may lie within a place. */
function shares(from: number, length: number, count: number): LineShares {
  const field = length / count;
  return Array.from({ length: count }, (_, at) => {
    const [start, end] = [from + at * field, from + (at + 1) * field];
    const first = Math.floor(start);
    const places = Math.min(Math.ceil(end), from + length) - first;
    return { first, shares: Array.from({ length: places }, (__, next) => Math.max(0, (Math.min(end, first + next + 1) - Math.max(start, first + next)) / field)) }; // prettier-ignore
  });
}

/** Means of the fields of a picture of this width, rows from the top. */
function averaged(
  values: Float32Array | Uint8Array,
  width: number,
  columns: LineShares,
  rows: LineShares,
): Float32Array {
  const means = new Float32Array(rows.length * columns.length);
  for (const [row, { first: top, shares: down }] of rows.entries()) {
    for (const [column, { first: left, shares: across }] of columns.entries()) {
      let mean = 0;
      for (let y = 0; y < down.length; y++) {
        const start = (top + y) * width + left;
        let line = 0;
        for (let x = 0; x < across.length; x++) line += (across[x] ?? 0) * (values[start + x] ?? 0);
        mean += (down[y] ?? 0) * line;
      }
      means[row * columns.length + column] = mean;
    }
  }
  return means;
}

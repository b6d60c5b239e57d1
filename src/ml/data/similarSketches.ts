import { createRandom } from '../graph/random.ts';
import { aspectsAgree, sketchBytes, sketchesAgree, sketchSide } from './sketch.ts';
import type { Sketches } from './sketchbook.ts';

/** A sketch is looked up by the means of so many by so many of its fields. */
const blocks = 4;
/** Levels of a mean that count as one; a copy's means differ by 0.2 of a level on the mean, and by 3 at most. */
const step = 32;
/** Look-ups, each with other bounds between the levels: a copy that falls on the other side of one is found by the next. */
const rounds = 6;
/** Pictures of one look-up with which a sketch is compared: a million drawings on white ground stay a matter of seconds. */
const mostCompared = 64;

/**
 * Groups of files, by their places, whose sketches agree. Linear in the number of files: a sketch is compared
 * only with those that have its key, and of many that agree with each other only with the first.
 */
export function similarSketches(sketches: Sketches): number[][] {
  const present = Array.from(sketches.aspects.keys()).filter((place) => (sketches.aspects[place] ?? 0) > 0);
  const means = blockMeans(sketches, present);
  const groups = createGroups(sketches.aspects.length);
  for (let round = 0; round < rounds; round++) {
    for (const [first, ...others] of sameKeys(present, keysOf(means, present.length, round))) {
      const leaders = first === undefined ? [] : [first];
      for (const place of others) {
        const leader = leaders.find(
          (other) => groups.first(other) === groups.first(place) || agree(sketches, other, place),
        );
        if (leader !== undefined) groups.join(leader, place);
        else if (leaders.push(place) > mostCompared) leaders.shift();
      }
    }
  }
  return groups.list(present);
}

function agree({ bytes, aspects }: Sketches, a: number, b: number): boolean {
  return aspectsAgree(aspects[a] ?? 0, aspects[b] ?? 0) && sketchesAgree(bytes, a * sketchBytes, b * sketchBytes);
}

/** The mean of each block's fields, a row of them for each place. */
function blockMeans({ bytes }: Sketches, places: readonly number[]): Float32Array {
  const side = sketchSide / blocks;
  const means = new Float32Array(places.length * blocks * blocks);
  for (const [row, place] of places.entries()) {
    for (let at = 0; at < sketchBytes; at++) {
      const block = blocks * Math.floor(at / sketchSide / side) + Math.floor((at % sketchSide) / side);
      const index = row * blocks * blocks + block;
      means[index] = (means[index] ?? 0) + (bytes[place * sketchBytes + at] ?? 0) / (side * side);
    }
  }
  return means;
}

/** A number for each row that is the same where all means lie between the same bounds; rarely for others. */
function keysOf(means: Float32Array, rows: number, round: number): Uint32Array {
  const size = blocks * blocks;
  const random = createRandom('sketch keys', round);
  const offsets = Float32Array.from({ length: size }, () => random.next() * step);
  const keys = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    // FNV-1a.
    let key = 0x811c9dc5;
    for (let block = 0; block < size; block++) {
      const level = Math.floor(((means[row * size + block] ?? 0) + (offsets[block] ?? 0)) / step);
      key = Math.imul(key ^ level, 0x01000193);
    }
    keys[row] = key >>> 0;
  }
  return keys;
}

/** Places that share their key with others, in order. */
function* sameKeys(places: readonly number[], keys: Uint32Array): Generator<number[]> {
  const keyOf = (row: number) => keys[row] ?? 0;
  const order = Uint32Array.from(keys.keys()).sort((a, b) => keyOf(a) - keyOf(b) || a - b);
  let group: number[] = [];
  for (const [index, row] of order.entries()) {
    group.push(places[row] ?? 0);
    const next = order[index + 1];
    if (next !== undefined && keyOf(next) === keyOf(row)) continue;
    if (group.length > 1) yield group;
    group = [];
  }
}

/** Places that belong together, each with the first of its group (union by path halving). */
function createGroups(count: number) {
  const parents = Uint32Array.from({ length: count }, (_, place) => place);
  const first = (place: number): number => {
    for (let at = place; ;) {
      const parent = parents[at] ?? at;
      if (parent === at) return at;
      at = parents[at] = parents[parent] ?? parent;
    }
  };
  return {
    first,
    join: (a: number, b: number) => {
      const [one, other] = [first(a), first(b)];
      parents[Math.max(one, other)] = Math.min(one, other);
    },
    /** Groups of two and more. */
    list: (places: readonly number[]): number[][] => {
      const members = new Map<number, number[]>();
      for (const place of places) {
        const leader = first(place);
        const group = members.get(leader);
        if (group) group.push(place);
        else members.set(leader, [place]);
      }
      return [...members.values()].filter((group) => group.length > 1);
    },
  };
}

import type { Random } from '../../../src/ml/graph/random.ts';

const lengths = [1, 2, 4, 8] as const;
const numbers = [0, -1, 1, 0.5, 255, 65_536, -(2 ** 31), 2 ** 31, 2 ** 32, 1e9, 2 ** 53, 1e308, -1e308];
const texts = [
  '',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '../../../etc/passwd',
  '/dev/zero',
  'x'.repeat(5000),
];

function pick<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[random.integer(values.length)];
  if (value === undefined) throw new RangeError('there is nothing to pick from');
  return value;
}

/** Changes bytes here and there: bits, numbers of every length, stretches cut, repeated, moved or cut off. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let changed = Uint8Array.from(bytes);
  for (let times = 1 + random.integer(4); times > 0; times--) changed = changeOnce(random, changed);
  return changed;
}

function changeOnce(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const at = random.integer(bytes.length + 1);
  const count = 1 + random.integer(random.integer(4) === 0 ? 200 : 8);
  const [before, part, after] = [bytes.subarray(0, at), bytes.subarray(at, at + count), bytes.subarray(at + count)];
  const noise = Uint8Array.from({ length: count }, () => random.integer(256));
  switch (random.integer(8)) {
    case 0:
      return joined(before, after);
    case 1:
      return joined(before, part, part, after);
    case 2:
      return joined(before, noise, part, after);
    case 3:
      return random.integer(4) === 0 ? joined(before) : joined(before, noise, after);
    case 4:
      return joined(after, part, before);
    case 5:
    case 6:
      return joined(before, extreme(random), bytes.subarray(at + 4));
    default: {
      const flipped = Uint8Array.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random.integer(8));
      return flipped;
    }
  }
}

/** The ends of what numbers of a few bytes hold. */
function extreme(random: Random): Uint8Array {
  const length = pick(random, lengths);
  const bytes = new Uint8Array(length).fill(pick(random, [0x00, 0x01, 0x7f, 0x80, 0xff]));
  if (random.integer(2) === 0) bytes[length - 1] = pick(random, [0x00, 0x7f, 0x80]);
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts));
}

/** Changes one to three places of a tree of lists, objects, texts and numbers, such as JSON or a decoded message. */
export function mutateTree(random: Random, tree: unknown): unknown {
  const changed = structuredClone(tree);
  for (let times = 1 + random.integer(3); times > 0; times--) {
    const places = [...placesOf(changed)];
    if (places.length === 0) break;
    changePlace(random, pick(random, places), places);
  }
  return changed;
}

interface Place {
  readonly parent: Record<string, unknown>;
  readonly key: string;
}

const mostPlaces = 5000;

function placesOf(tree: unknown): Place[] {
  const places: Place[] = [];
  const open = [tree];
  for (let next = open.pop(); next !== undefined && places.length < mostPlaces; next = open.pop()) {
    if (typeof next !== 'object' || next === null || next instanceof Uint8Array) continue;
    const parent = next as Record<string, unknown>;
    for (const key of Object.keys(parent)) {
      places.push({ parent, key });
      open.push(parent[key] ?? null);
    }
  }
  return places;
}

function changePlace(random: Random, { parent, key }: Place, places: readonly Place[]): void {
  const value = parent[key];
  const other = pick(random, places);
  switch (random.integer(7)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else Reflect.deleteProperty(parent, key);
      return;
    case 1:
      if (Array.isArray(parent)) parent.push(structuredClone(value));
      else parent[pick(random, texts)] = structuredClone(value);
      return;
    case 2:
      // Of the same kind, so that the tree keeps its form: a name for another, a node for another.
      if (typeof other.parent[other.key] === typeof value) parent[key] = structuredClone(other.parent[other.key]);
      return;
    case 3:
      parent[key] = pick(random, [null, [], {}, [value], true, value]);
      return;
    default:
      parent[key] = changedValue(random, value);
  }
}

function changedValue(random: Random, value: unknown): unknown {
  if (typeof value === 'number') return random.integer(2) === 0 ? pick(random, numbers) : value + random.integer(5) - 2;
  if (value instanceof Uint8Array) return mutateBytes(random, value);
  if (typeof value === 'string') {
    if (random.integer(2) === 0) return pick(random, texts);
    return value.slice(0, random.integer(value.length + 1)) + pick(random, ['', '0', '"', '\u001b[31m', value]);
  }
  return Array.isArray(value) ? (value as unknown[]).toReversed() : pick(random, [value, ...numbers, ...texts]);
}

/**
 * A reader of Python's pickle streams that runs nothing. It knows plain values and containers; a callable is a name, and
 * what it would have made comes from the reader's owner by that name or else is an inert marker. So no class is looked
 * up, no function called and no state set, whatever the stream asks for.
 * Opcodes: Python's `pickletools`, protocols 0 to 5.
 */

/** Something of Python that is not a plain value: a class or function by name, or what one would have made. */
export interface Inert {
  readonly inert: string;
}

/** Tuples and lists both are arrays. Whole numbers beyond 2^53 are bigints. `Known` is what the owner's hooks make. */
export type PickleValue<Known> =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue<Known>[]
  | Map<PickleValue<Known>, PickleValue<Known>>
  | Set<PickleValue<Known>>
  | Inert
  | Known;

export interface PickleHooks<Known> {
  /** What a call of the named callable makes; undefined where the name is unknown, which leaves an inert marker. */
  readonly call: (name: string, parameters: readonly PickleValue<Known>[]) => PickleValue<Known> | undefined;
  /** What a persistent id stands for. */
  readonly persistent: (id: PickleValue<Known>) => PickleValue<Known>;
}

/** A stream that no sound writer makes. `message` is a clause that says why. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
}

/** Memory in bytes, as `costs` estimate it, that the values of one stream may take; a checkpoint's take a few million. */
const budget = 192 * 1024 * 1024;
const costs = { reference: 16, entry: 64, object: 100, map: 400 } as const;
/** Of an integer's bytes or digits: parsing longer ones takes quadratic time. */
const maximumIntegerLength = 1024;

interface Machine<Known> {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  position: number;
  /** What is left of the budget. */
  left: number;
  stack: PickleValue<Known>[];
  /** Stacks that a mark has set aside. */
  readonly marked: PickleValue<Known>[][];
  readonly memo: Map<number, PickleValue<Known>>;
  readonly hooks: PickleHooks<Known>;
}

type Operation = <Known>(machine: Machine<Known>) => void;

export function isInert(value: unknown): value is Inert {
  return typeof value === 'object' && value !== null && 'inert' in value && typeof value.inert === 'string';
}

function advance<Known>(machine: Machine<Known>, count: number): number {
  const start = machine.position;
  if (count < 0 || count > machine.bytes.byteLength - start) throw new PickleError('its pickle ends too early');
  machine.position = start + count;
  return start;
}

function take<Known>(machine: Machine<Known>, count: number): Uint8Array {
  const start = advance(machine, count);
  return machine.bytes.subarray(start, start + count);
}

function uint8<Known>(machine: Machine<Known>): number {
  return machine.view.getUint8(advance(machine, 1));
}

function uint16<Known>(machine: Machine<Known>): number {
  return machine.view.getUint16(advance(machine, 2), true);
}

function uint32<Known>(machine: Machine<Known>): number {
  return machine.view.getUint32(advance(machine, 4), true);
}

function uint64<Known>(machine: Machine<Known>): number {
  return Number(machine.view.getBigUint64(advance(machine, 8), true));
}

function line<Known>(machine: Machine<Known>): string {
  const end = machine.bytes.indexOf(0x0a, machine.position);
  if (end < 0) throw new PickleError('its pickle ends too early');
  const text = latin1(take(machine, end - machine.position));
  advance(machine, 1);
  return text;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function utf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function spend<Known>(machine: Machine<Known>, bytes: number): void {
  machine.left -= bytes;
  if (machine.left < 0) throw new PickleError('its pickle is larger than that of any checkpoint');
}

function push<Known>(machine: Machine<Known>, value: PickleValue<Known>): void {
  spend(machine, costs.reference);
  machine.stack.push(value);
}

/** Pushes what is new in memory, and not only a reference. */
function make<Known>(machine: Machine<Known>, value: PickleValue<Known>): void {
  spend(machine, sizeOf(value));
  push(machine, value);
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return costs.object + 2 * value.length;
  if (Array.isArray(value)) return costs.object + costs.reference * value.length;
  if (value instanceof Map || value instanceof Set) return costs.map + costs.entry * value.size;
  return costs.object + (value instanceof Uint8Array ? value.byteLength : 0);
}

function pop<Known>(machine: Machine<Known>): PickleValue<Known> {
  const value = machine.stack.pop();
  if (value === undefined) throw new PickleError('its pickle takes from an empty stack');
  return value;
}

function top<Known>(machine: Machine<Known>): PickleValue<Known> {
  const value = machine.stack.at(-1);
  if (value === undefined) throw new PickleError('its pickle takes from an empty stack');
  return value;
}

function mark<Known>(machine: Machine<Known>): void {
  spend(machine, costs.object);
  machine.marked.push(machine.stack);
  machine.stack = [];
}

/** Everything above the last mark, which is taken away. */
function popMark<Known>(machine: Machine<Known>): PickleValue<Known>[] {
  const below = machine.marked.pop();
  if (!below) throw new PickleError('its pickle closes what it never opened');
  const above = machine.stack;
  machine.stack = below;
  return above;
}

function memoize<Known>(machine: Machine<Known>, key: number): void {
  spend(machine, costs.entry);
  machine.memo.set(key, top(machine));
}

function recall<Known>(machine: Machine<Known>, key: number): void {
  const value = machine.memo.get(key);
  if (value === undefined) throw new PickleError('its pickle refers to what it never stored');
  push(machine, value);
}

function wholeNumber(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** Little-endian two's complement of any length; none is 0. */
function longFromBytes<Known>(machine: Machine<Known>, length: number): number | bigint {
  if (length > maximumIntegerLength) throw new PickleError('its pickle has an absurdly long number');
  const hex = [...take(machine, length)].toReversed().map((byte) => byte.toString(16).padStart(2, '0'));
  return length === 0 ? 0 : wholeNumber(BigInt.asIntN(8 * length, BigInt(`0x${hex.join('')}`)));
}

function longFromText(text: string): number | bigint {
  const digits = text.replace(/L$/, '');
  if (digits.length > maximumIntegerLength || !/^-?\d+$/.test(digits)) {
    throw new PickleError('its pickle has a value that is not a number');
  }
  return wholeNumber(BigInt(digits));
}

function call<Known>(machine: Machine<Known>, callable: PickleValue<Known>, parameters: PickleValue<Known>): void {
  const name = isInert(callable) ? callable.inert : 'something that is not callable';
  // What is made of a list takes its time and memory, and a stream may ask for it again and again.
  if (Array.isArray(parameters)) for (const parameter of parameters) spend(machine, sizeOf(parameter));
  const made = isInert(callable) && Array.isArray(parameters) ? machine.hooks.call(name, parameters) : undefined;
  make(machine, made === undefined ? { inert: name } : made);
}

/** Adds to lists and sets; anything else that is asked to grow is inert and stays as it is. */
function extend<Known>(machine: Machine<Known>, values: readonly PickleValue<Known>[]): void {
  const target = top(machine);
  spend(machine, costs.entry * values.length);
  if (Array.isArray(target)) for (const value of values) target.push(value);
  else if (target instanceof Set) for (const value of values) target.add(value);
}

function setItems<Known>(
  machine: Machine<Known>,
  target: PickleValue<Known>,
  flat: readonly PickleValue<Known>[],
): void {
  spend(machine, costs.entry * flat.length);
  if (flat.length % 2 !== 0) throw new PickleError('its pickle has a key without a value');
  if (!(target instanceof Map)) return;
  for (let index = 0; index < flat.length; index += 2) target.set(flat[index] ?? null, flat[index + 1] ?? null);
}

function tuple<Known>(machine: Machine<Known>, length: number): void {
  const values = Array.from({ length }, () => pop(machine));
  make(machine, values.reverse());
}

function pushMap<Known>(machine: Machine<Known>, flat: readonly PickleValue<Known>[]): void {
  const map = new Map<PickleValue<Known>, PickleValue<Known>>();
  setItems(machine, map, flat);
  make(machine, map);
}

/** Protocol 0 quotes its strings as Python's repr does. */
function unquoted(text: string): string {
  if (!/^(['"]).*\1$/s.test(text)) throw new PickleError('its pickle has a string without quotes');
  return text.slice(1, -1).replaceAll(/\\(x[0-9a-f]{2}|.)/gs, (_, escape: string) => {
    if (escape.length > 1) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return { n: '\n', t: '\t', r: '\r' }[escape] ?? escape;
  });
}

function unescaped(text: string): string {
  return text.replaceAll(/\\u([0-9a-f]{4})|\\U([0-9a-f]{8})/g, (_, short?: string, long?: string) =>
    String.fromCodePoint(Math.min(Number.parseInt(short ?? long ?? '0', 16), 0x10ffff)),
  );
}

function integerLine(text: string): boolean | number | bigint {
  if (text === '00') return false;
  return text === '01' ? true : longFromText(text);
}

const plain: Readonly<Record<string, Operation>> = {
  N: (machine) => push(machine, null),
  '\x88': (machine) => push(machine, true),
  '\x89': (machine) => push(machine, false),
  I: (machine) => make(machine, integerLine(line(machine))),
  J: (machine) => push(machine, uint32(machine) | 0),
  K: (machine) => push(machine, uint8(machine)),
  M: (machine) => push(machine, uint16(machine)),
  L: (machine) => make(machine, longFromText(line(machine))),
  '\x8a': (machine) => make(machine, longFromBytes(machine, uint8(machine))),
  '\x8b': (machine) => make(machine, longFromBytes(machine, uint32(machine))),
  F: (machine) => push(machine, Number(line(machine))),
  G: (machine) => push(machine, machine.view.getFloat64(advance(machine, 8))),
  S: (machine) => make(machine, unquoted(line(machine))),
  T: (machine) => make(machine, utf8(take(machine, uint32(machine)))),
  U: (machine) => make(machine, utf8(take(machine, uint8(machine)))),
  V: (machine) => make(machine, unescaped(line(machine))),
  X: (machine) => make(machine, utf8(take(machine, uint32(machine)))),
  '\x8c': (machine) => make(machine, utf8(take(machine, uint8(machine)))),
  '\x8d': (machine) => make(machine, utf8(take(machine, uint64(machine)))),
  B: (machine) => make(machine, take(machine, uint32(machine)).slice()),
  C: (machine) => make(machine, take(machine, uint8(machine)).slice()),
  '\x8e': (machine) => make(machine, take(machine, uint64(machine)).slice()),
  '\x96': (machine) => make(machine, take(machine, uint64(machine)).slice()),
};

const containers: Readonly<Record<string, Operation>> = {
  ']': (machine) => make(machine, []),
  ')': (machine) => make(machine, []),
  '}': (machine) => make(machine, new Map()),
  '\x8f': (machine) => make(machine, new Set()),
  l: (machine) => make(machine, popMark(machine)),
  t: (machine) => make(machine, popMark(machine)),
  d: (machine) => pushMap(machine, popMark(machine)),
  '\x91': (machine) => make(machine, new Set(popMark(machine))),
  '\x85': (machine) => tuple(machine, 1),
  '\x86': (machine) => tuple(machine, 2),
  '\x87': (machine) => tuple(machine, 3),
  a: (machine) => {
    const value = pop(machine);
    extend(machine, [value]);
  },
  e: (machine) => {
    const values = popMark(machine);
    extend(machine, values);
  },
  '\x90': (machine) => {
    const values = popMark(machine);
    extend(machine, values);
  },
  s: (machine) => {
    const value = pop(machine);
    const key = pop(machine);
    setItems(machine, top(machine), [key, value]);
  },
  u: (machine) => {
    const flat = popMark(machine);
    setItems(machine, top(machine), flat);
  },
};

const objects: Readonly<Record<string, Operation>> = {
  c: (machine) => make(machine, { inert: `${line(machine)}.${line(machine)}` }),
  '\x93': (machine) => {
    const name = pop(machine);
    const module = pop(machine);
    if (typeof name !== 'string' || typeof module !== 'string') throw new PickleError('its pickle names nothing');
    make(machine, { inert: `${module}.${name}` });
  },
  R: (machine) => {
    const parameters = pop(machine);
    call(machine, pop(machine), parameters);
  },
  '\x81': (machine) => {
    const parameters = pop(machine);
    call(machine, pop(machine), parameters);
  },
  '\x92': (machine) => {
    pop(machine);
    const parameters = pop(machine);
    call(machine, pop(machine), parameters);
  },
  i: (machine) => call(machine, { inert: `${line(machine)}.${line(machine)}` }, popMark(machine)),
  o: (machine) => {
    const [callable = null, ...parameters] = popMark(machine);
    call(machine, callable, parameters);
  },
  // An object's state is stepped over: nothing that this reader understands has any.
  b: (machine) => {
    pop(machine);
    top(machine);
  },
  P: (machine) => make(machine, machine.hooks.persistent(line(machine))),
  Q: (machine) => make(machine, machine.hooks.persistent(pop(machine))),
};

const machinery: Readonly<Record<string, Operation>> = {
  '(': (machine) => mark(machine),
  '0': (machine) => {
    if (machine.stack.length > 0) machine.stack.pop();
    else popMark(machine);
  },
  '1': (machine) => {
    popMark(machine);
  },
  '2': (machine) => push(machine, top(machine)),
  g: (machine) => recall(machine, Number(line(machine))),
  h: (machine) => recall(machine, uint8(machine)),
  j: (machine) => recall(machine, uint32(machine)),
  p: (machine) => memoize(machine, Number(line(machine))),
  q: (machine) => memoize(machine, uint8(machine)),
  r: (machine) => memoize(machine, uint32(machine)),
  '\x94': (machine) => memoize(machine, machine.memo.size),
  '\x80': (machine) => {
    const protocol = uint8(machine);
    if (protocol > 5) throw new PickleError(`its pickle has the unknown protocol ${protocol}`);
  },
  '\x95': (machine) => {
    advance(machine, 8);
  },
};

const operations = new Map<number, Operation>(
  Object.entries({ ...plain, ...containers, ...objects, ...machinery }).map(([code, run]) => [code.charCodeAt(0), run]),
);
const stop = '.'.charCodeAt(0);

/**
 * Reads one pickle that starts at `start` of `bytes`; `end` is the byte after it. Throws `PickleError` for a stream that
 * is cut short, inconsistent, or beyond the limits above.
 */
export function unpickle<Known>(
  bytes: Uint8Array,
  hooks: PickleHooks<Known>,
  start = 0,
): { readonly value: PickleValue<Known>; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine: Machine<Known> = {
    bytes,
    view,
    position: start,
    left: budget,
    stack: [],
    marked: [],
    memo: new Map(),
    hooks,
  };
  for (;;) {
    const code = uint8(machine);
    if (code === stop) return { value: pop(machine), end: machine.position };
    const run = operations.get(code);
    if (!run) throw new PickleError(`its pickle has the unknown operation 0x${code.toString(16)}`);
    run(machine);
  }
}

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

const maximumStack = 4_000_000;
const maximumMemo = 4_000_000;
const maximumNesting = 10_000;
/** Of an integer's bytes or digits: parsing longer ones takes quadratic time. */
const maximumIntegerLength = 1024;

interface Machine<Known> {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  position: number;
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

function push<Known>(machine: Machine<Known>, value: PickleValue<Known>): void {
  if (machine.stack.length >= maximumStack) throw new PickleError('its pickle puts too much on the stack');
  machine.stack.push(value);
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
  if (machine.marked.length >= maximumNesting) throw new PickleError('its pickle is nested too deeply');
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
  if (machine.memo.size >= maximumMemo) throw new PickleError('its pickle remembers too much');
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
    throw new PickleError('its pickle has a number that is none');
  }
  return wholeNumber(BigInt(digits));
}

function call<Known>(machine: Machine<Known>, callable: PickleValue<Known>, parameters: PickleValue<Known>): void {
  const name = isInert(callable) ? callable.inert : 'something that is not callable';
  const made = isInert(callable) && Array.isArray(parameters) ? machine.hooks.call(name, parameters) : undefined;
  push(machine, made === undefined ? { inert: name } : made);
}

/** Adds to lists; anything else that is asked to grow is inert and stays as it is. */
function extend<Known>(target: PickleValue<Known>, values: readonly PickleValue<Known>[]): void {
  if (Array.isArray(target)) for (const value of values) target.push(value);
  else if (target instanceof Set) for (const value of values) target.add(value);
}

function setItems<Known>(target: PickleValue<Known>, flat: readonly PickleValue<Known>[]): void {
  if (flat.length % 2 !== 0) throw new PickleError('its pickle has a key without a value');
  if (!(target instanceof Map)) return;
  for (let index = 0; index < flat.length; index += 2) target.set(flat[index] ?? null, flat[index + 1] ?? null);
}

function tuple<Known>(machine: Machine<Known>, length: number): void {
  const values = Array.from({ length }, () => pop(machine));
  push(machine, values.reverse());
}

function mapOf<Known>(flat: readonly PickleValue<Known>[]): PickleValue<Known> {
  const map = new Map<PickleValue<Known>, PickleValue<Known>>();
  setItems(map, flat);
  return map;
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
  I: (machine) => push(machine, integerLine(line(machine))),
  J: (machine) => push(machine, uint32(machine) | 0),
  K: (machine) => push(machine, uint8(machine)),
  M: (machine) => push(machine, uint16(machine)),
  L: (machine) => push(machine, longFromText(line(machine))),
  '\x8a': (machine) => push(machine, longFromBytes(machine, uint8(machine))),
  '\x8b': (machine) => push(machine, longFromBytes(machine, uint32(machine))),
  F: (machine) => push(machine, Number(line(machine))),
  G: (machine) => push(machine, machine.view.getFloat64(advance(machine, 8))),
  S: (machine) => push(machine, unquoted(line(machine))),
  T: (machine) => push(machine, utf8(take(machine, uint32(machine)))),
  U: (machine) => push(machine, utf8(take(machine, uint8(machine)))),
  V: (machine) => push(machine, unescaped(line(machine))),
  X: (machine) => push(machine, utf8(take(machine, uint32(machine)))),
  '\x8c': (machine) => push(machine, utf8(take(machine, uint8(machine)))),
  '\x8d': (machine) => push(machine, utf8(take(machine, uint64(machine)))),
  B: (machine) => push(machine, take(machine, uint32(machine)).slice()),
  C: (machine) => push(machine, take(machine, uint8(machine)).slice()),
  '\x8e': (machine) => push(machine, take(machine, uint64(machine)).slice()),
  '\x96': (machine) => push(machine, take(machine, uint64(machine)).slice()),
};

const containers: Readonly<Record<string, Operation>> = {
  ']': (machine) => push(machine, []),
  ')': (machine) => push(machine, []),
  '}': (machine) => push(machine, new Map()),
  '\x8f': (machine) => push(machine, new Set()),
  l: (machine) => push(machine, popMark(machine)),
  t: (machine) => push(machine, popMark(machine)),
  d: (machine) => push(machine, mapOf(popMark(machine))),
  '\x91': (machine) => push(machine, new Set(popMark(machine))),
  '\x85': (machine) => tuple(machine, 1),
  '\x86': (machine) => tuple(machine, 2),
  '\x87': (machine) => tuple(machine, 3),
  a: (machine) => {
    const value = pop(machine);
    extend(top(machine), [value]);
  },
  e: (machine) => {
    const values = popMark(machine);
    extend(top(machine), values);
  },
  '\x90': (machine) => {
    const values = popMark(machine);
    extend(top(machine), values);
  },
  s: (machine) => {
    const value = pop(machine);
    const key = pop(machine);
    setItems(top(machine), [key, value]);
  },
  u: (machine) => {
    const flat = popMark(machine);
    setItems(top(machine), flat);
  },
};

const objects: Readonly<Record<string, Operation>> = {
  c: (machine) => push(machine, { inert: `${line(machine)}.${line(machine)}` }),
  '\x93': (machine) => {
    const name = pop(machine);
    const module = pop(machine);
    if (typeof name !== 'string' || typeof module !== 'string') throw new PickleError('its pickle names nothing');
    push(machine, { inert: `${module}.${name}` });
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
  P: (machine) => push(machine, machine.hooks.persistent(line(machine))),
  Q: (machine) => push(machine, machine.hooks.persistent(pop(machine))),
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
  const machine: Machine<Known> = { bytes, view, position: start, stack: [], marked: [], memo: new Map(), hooks };
  for (;;) {
    const code = uint8(machine);
    if (code === stop) return { value: pop(machine), end: machine.position };
    const run = operations.get(code);
    if (!run) throw new PickleError(`its pickle has the unknown operation 0x${code.toString(16)}`);
    run(machine);
  }
}

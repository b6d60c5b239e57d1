import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PickleError, type PickleValue, unpickle } from '../../../src/ml/weights/pickle.ts';

const hooks = { call: () => undefined, persistent: (id: PickleValue<never>) => id };
const read = (bytes: Buffer) => unpickle<never>(bytes, hooks).value;
const readHex = (hex: string) => read(Buffer.from(hex, 'hex'));

// Written by Python 3.11: pickle.dumps({'a': [1, -2, 300, 70000, 2**70, -2**63], 'b': (1.5, None, True)}, n).
const object = new Map<string, unknown>([
  ['a', [1, -2, 300, 70000, 2n ** 70n, -(2n ** 63n)]],
  ['b', [1.5, null, true]],
]);
const dumps: readonly (readonly [number, string])[] = [
  [
    2,
    '80027d71002858010000006171015d7102284b014afeffffff4d2c014a701101008a090000000000000000408a080000000000000080655801000000627103473ff80000000000004e88877104752e',
  ],
  [
    0,
    '286470300a56610a70310a286c70320a49310a61492d320a61493330300a614937303030300a614c313138303539313632303731373431313330333432344c0a614c2d393232333337323033363835343737353830384c0a617356620a70330a2846312e350a4e4930310a7470340a732e',
  ],
  [
    1,
    '7d71002858010000006171015d7102284b014afeffffff4d2c014a701101004c313138303539313632303731373431313330333432344c0a4c2d393232333337323033363835343737353830384c0a65580100000062710328473ff80000000000004e4930310a747104752e',
  ],
  [
    3,
    '80037d71002858010000006171015d7102284b014afeffffff4d2c014a701101008a090000000000000000408a080000000000000080655801000000627103473ff80000000000004e88877104752e',
  ],
  [
    4,
    '80049542000000000000007d94288c0161945d94284b014afeffffff4d2c014a701101008a090000000000000000408a080000000000000080658c016294473ff80000000000004e888794752e',
  ],
  [
    5,
    '80059542000000000000007d94288c0161945d94284b014afeffffff4d2c014a701101008a090000000000000000408a080000000000000080658c016294473ff80000000000004e888794752e',
  ],
];
for (const [protocol, hex] of dumps) {
  test(`plain values that Python wrote with protocol ${protocol} come back`, () => {
    assert.deepEqual(readHex(hex), object);
  });
}

test('a shared container stays one container, and one that holds itself does not hang the reader', () => {
  // a = []; a.append(a)
  const value = read(Buffer.from(']q\0h\0a.', 'latin1'));
  assert.ok(Array.isArray(value));
  assert.equal(value[0], value);
});

test('a call of anything is stepped over, whatever it is given', () => {
  // os.system('false') by REDUCE, then by INST, then an object with a state by BUILD.
  for (const stream of [
    "cos\nsystem\n(S'false'\ntR.",
    "(S'false'\nios\nsystem\n.",
    "cos\nsystem\n(S'false'\nt\x81}S'a'\nI1\nsb.",
  ]) {
    assert.deepEqual(read(Buffer.from(stream, 'latin1')), { inert: 'os.system' });
  }
});

const hostile: readonly (readonly [string, string])[] = [
  ['a cut stream', 'X\xff\xff\xff\xffabc'],
  ['a length beyond what a number holds', '\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.'],
  ['an empty stack', '.'],
  ['a mark that was never set', 't.'],
  ['a reference to what was never stored', 'h\x05.'],
  ['a key without a value', '}(K\x01u.'],
  ['an unknown operation', '\xff.'],
  ['an unknown protocol', '\x80\x63N.'],
  ['a number of many digits', `L${'9'.repeat(100_000)}L\n.`],
  ['marks in marks without end', '('.repeat(100_000)],
];
for (const [what, stream] of hostile) {
  test(`${what} is refused`, () => {
    assert.throws(() => read(Buffer.from(stream, 'latin1')), PickleError);
  });
}

test('a stream that fills the stack is refused before the memory is full', () => {
  assert.throws(() => read(Buffer.concat([Buffer.from('N'), Buffer.alloc(5_000_000, '2')])), PickleError);
});

const seed = Math.floor(Math.random() * 1e6);
test(`random damage ends in an error or a value, never in a crash (seed ${seed})`, () => {
  let state = seed;
  const random = () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x7fffffff;
  const [, sound = ''] = dumps[0] ?? [];
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(sound, 'hex');
    for (let change = 0; change < 4; change++) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    try {
      read(bytes);
    } catch (error) {
      assert.ok(error instanceof PickleError, String(error));
    }
  }
});

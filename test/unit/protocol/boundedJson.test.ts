import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBoundedJson } from '../../../src/protocol/boundedJson.ts';

for (const text of ['{"a":[1,{"a":2}],"b":"a\\"b","c":{"a":"}"}}', '\uFEFF{"a": 1}', '"a"', '[]', ' null ']) {
  test(`${text} is what JSON.parse makes of it`, () => {
    assert.deepEqual(parseBoundedJson(text), JSON.parse(text.replace('\uFEFF', '')));
  });
}

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['a key that comes twice', '{"a":1,"b":{"a":1},"a":2}', /names "a" twice/],
  ['a key that comes twice, once escaped', '{"a":1,"\\u0061" : 2}', /names "a" twice/],
  ['lists in lists without end', '['.repeat(1_000_000), /nested too deeply/],
  ['more values than any file has', `[${'0,'.repeat(3_000_000)}0]`, /more than 2000000 values/],
  ['an open string', '{"a', /not valid JSON/],
  ['a bad escape in a key', '{"\\x":1,"\\x":1}', /not valid JSON/],
  ['nothing', '', /not valid JSON/],
];
for (const [what, text, message] of refused) {
  test(`${what} is refused`, () => {
    assert.throws(() => parseBoundedJson(text), message);
  });
}

test('a key that is called as a part of every object is an ordinary key', () => {
  assert.deepEqual(Object.keys(parseBoundedJson('{"__proto__":1,"toString":2}') as object), ['__proto__', 'toString']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { spaceSchema } from '../../../scripts/spaceSchema.ts';
import { sweepOwnSchema } from '../../../src/protocol/sweep.ts';
import { givenConfigSchema } from '../../../src/protocol/trainingConfig.ts';

const options = { io: 'input', target: 'draft-7' } as const;
const [config, own] = [givenConfigSchema, sweepOwnSchema].map((schema) => z.toJSONSchema(schema, options));

test('in a space every setting may be a list, and every number a range', () => {
  assert.ok(config && own);
  const { properties = {}, required } = spaceSchema(
    config as Parameters<typeof spaceSchema>[0],
    own as Parameters<typeof spaceSchema>[1],
  );
  const formsOf = (setting: string) =>
    (properties[setting]?.anyOf ?? []).map((form) => form.required?.[0] ?? form.type ?? 'any');
  assert.deepEqual(formsOf('learningRate'), ['any', 'array', 'range', 'log']);
  assert.deepEqual(formsOf('epochs'), ['integer', 'array', 'range', 'log']);
  assert.deepEqual(formsOf('hidden'), ['array', 'array']);
  assert.deepEqual(formsOf('optimizer'), ['string', 'array']);
  assert.deepEqual(formsOf('data'), [], 'trials are compared on the same images');
  assert.equal(properties['trials']?.type, 'integer');
  assert.deepEqual(required, ['network']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installCudaVisibly } from '../../../src/ml/cli/installVisibly.ts';
import type { Output } from '../../../src/ml/cli/output.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import type { CudaOutlook } from '../../../src/protocol/serviceProtocol.ts';

const offered: CudaOutlook = {
  state: 'offered',
  source: 'example.org',
  bytes: 1_280_000_000,
  unpackedBytes: 2_006_000_000,
  licences: [{ name: 'Terms', url: 'https://example.org/terms' }],
};

/** What a try said, and how it failed. */
async function tryOut(found: CudaOutlook): Promise<{ readonly said: string; readonly error: unknown }> {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const output: Output = { json: false, object: () => undefined, print: write, say: write, drawing: write };
  const error: unknown = await installCudaVisibly(found, false, output).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { said: lines.join('\n'), error };
}

test('nothing is installed before the licences are accepted; their names, addresses and the sizes are said', async () => {
  const { said, error } = await tryOut(offered);
  assert.ok(error instanceof UserError && error.kind === 'usage');
  assert.match(error.message, /--accept-licenses/u);
  for (const part of ['1280 MB from example.org', '2006 MB in ', 'Terms, https://example.org/terms'])
    assert.ok(said.includes(part), said);
});

test('what cannot be used here is not offered', async () => {
  const { said, error } = await tryOut({ state: 'impossible', reason: 'no NVIDIA driver is on this machine' });
  assert.ok(error instanceof UserError && error.kind === 'failure');
  assert.equal(error.message, 'CUDA cannot be used here: no NVIDIA driver is on this machine.');
  assert.equal(said, '');
});

test('what is installed is not installed again', async () => {
  const { said, error } = await tryOut({ state: 'here' });
  assert.equal(error, undefined);
  assert.match(said, /already/u);
});

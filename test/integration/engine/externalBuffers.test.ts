import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';

const skip = process.platform !== 'linux' && 'loads a library with a function that there is not';

test(
  'steps through ONNX Runtime’s library make no buffers over foreign memory, which Electron refuses',
  { skip },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'fivecrop-buffers-'));
    try {
      const file = join(import.meta.dirname, 'withoutExternalBuffers.ts');
      const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file, folder, '60'], {
        encoding: 'utf8',
        timeout: 600_000,
      });
      assert.deepEqual([status, stdout], [127, '60 runs'], stderr);
      assert.match(stderr, /undefined symbol: napi_create_nothing_arraybuffers/u);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

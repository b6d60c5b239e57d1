import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import sharp from 'sharp';
import { createRandom } from '../../../src/ml/graph/random.ts';

/** An empty folder that is removed after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-test-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Writes empty or given files, making their folders. */
export async function writeFiles(root: string, files: readonly string[], content: string | Uint8Array = '') {
  for (const file of files) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), content);
  }
}

/** Smooth random pixels as an encoded image; different for each seed. */
export async function noiseImage(seed: number, width: number, height: number, format: 'png' | 'jpeg' = 'png') {
  const random = createRandom(seed, 'noise');
  const small = Buffer.from(Array.from({ length: 8 * 8 * 3 }, () => random.integer(256)));
  return sharp(small, { raw: { width: 8, height: 8, channels: 3 } })
    .resize(width, height, { fit: 'fill' })
    .toFormat(format)
    .toBuffer();
}

/** Two classes of noise images in train, `count` each; returns the files. */
export async function writeNoiseImages(root: string, count: number): Promise<string[]> {
  const files: string[] = [];
  for (let index = 0; index < 2 * count; index++) {
    const file = `train/${index % 2 === 0 ? 'even' : 'odd'}/${String(index).padStart(3, '0')}.png`;
    await writeFiles(root, [file], await noiseImage(index, 60 + (index % 5) * 7, 50));
    files.push(file);
  }
  return files;
}

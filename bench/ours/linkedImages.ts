import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';

/** Names that one file can have: what ext4 allows, less some. */
const namesPerFile = 60_000;

/**
 * A temporary folder of `classes` folders with `images` names of small JPEGs each. The names are hard links to a few
 * files, which costs no inodes and next to no disk; to a scan they are files like others.
 */
export async function linkedImages(classes: number, images: number): Promise<{ folder: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'fivecrop-bench-'));
  let made = 0;
  let source = '';
  for (let label = 0; label < classes; label++) {
    const parent = join(folder, `class_${String(label).padStart(5, '0')}`);
    mkdirSync(parent);
    for (let image = 0; image < images; image++, made++) {
      if (made % namesPerFile === 0) {
        source = join(folder, `.source_${made}.jpg`);
        writeFileSync(source, await smallJpeg(made));
      }
      linkSync(source, join(parent, `image_${String(image).padStart(6, '0')}.jpg`));
    }
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function smallJpeg(seed: number): Promise<Buffer> {
  const background = { r: seed % 251, g: (seed * 7) % 241, b: (seed * 13) % 239 };
  return sharp({ create: { width: 64, height: 64, channels: 3, background } })
    .jpeg()
    .toBuffer();
}

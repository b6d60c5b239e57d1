import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';

/** Names that one file can have: what ext4 allows, less some. */
const namesPerFile = 60_000;

/**
 * A temporary folder of `classes` folders with `images` small JPEGs each. Every file has bytes of its own (a comment after
 * the first marker), so that no image is a copy of another: copies of images that were trained on are not tested.
 */
export async function distinctImages(classes: number, images: number): Promise<{ folder: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'fivecrop-bench-'));
  const jpeg = await smallJpeg(0);
  for (let label = 0; label < classes; label++) {
    const parent = join(folder, className(label));
    mkdirSync(parent);
    for (let image = 0; image < images; image++)
      writeFileSync(join(parent, imageName(image)), withComment(jpeg, label * images + image));
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function withComment(jpeg: Buffer, comment: number): Buffer {
  const segment = Buffer.from([0xff, 0xfe, 0, 6, 0, 0, 0, 0]);
  segment.writeUInt32BE(comment, 4);
  return Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
}

const className = (label: number) => `class_${String(label).padStart(5, '0')}`;
const imageName = (image: number) => `image_${String(image).padStart(6, '0')}.jpg`;

/**
 * A temporary folder of `classes` folders with `images` names of small JPEGs each. The names are hard links to a few
 * files, which costs no inodes and next to no disk; to a scan they are files like others.
 */
export async function linkedImages(classes: number, images: number): Promise<{ folder: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'fivecrop-bench-'));
  let made = 0;
  let source = '';
  for (let label = 0; label < classes; label++) {
    const parent = join(folder, className(label));
    mkdirSync(parent);
    for (let image = 0; image < images; image++, made++) {
      if (made % namesPerFile === 0) {
        source = join(folder, `.source_${made}.jpg`);
        writeFileSync(source, await smallJpeg(made));
      }
      linkSync(source, join(parent, imageName(image)));
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

import { basename } from 'node:path';
import sharp from 'sharp';
import { mixedClasses } from '../../../protocol/samples.ts';
import { visible } from '../../../protocol/visibleText.ts';
import type { SampledBatch, TrainingSample } from './sampleBatch.ts';

const gap = 12;
/** Pixels of a line of the caption, and narrowest column. */
const [line, narrowest] = [18, 168];
/** Pixels that a letter takes, on the safe side. */
const letter = 7;

/** A PNG of a batch's images in rows, under each its classes with their weights and its file. */
export async function samplesPicture({ images, size }: SampledBatch): Promise<Buffer> {
  const columns = Math.max(1, Math.ceil(Math.sqrt(images.length)));
  const rows = Math.ceil(images.length / columns);
  const column = Math.max(size, narrowest);
  const lines = Math.max(1, ...images.map(({ classes }) => classes.length)) + 1;
  const row = size + lines * line + gap;
  const [width, height] = [columns * (column + gap) + gap, rows * row + gap];
  const place = (at: number) => ({
    left: gap + (at % columns) * (column + gap),
    top: gap + Math.floor(at / columns) * row,
  });
  const tiles = images.map(({ pixels }, at) => ({
    input: interleaved(pixels, size),
    raw: { width: size, height: size, channels: 3 as const },
    ...place(at),
  }));
  const captions = images.map((image, at) => {
    const { left, top } = place(at);
    return captionOf(image)
      .map((text, below) => {
        const y = top + size + (below + 1) * line - 4;
        return `<text x="${left}" y="${y}" font-weight="${below === 0 ? 'bold' : 'normal'}">${escaped(fitted(text, column))}</text>`;
      })
      .join('');
  });
  const texts = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="#222">${captions.join('')}</svg>`;
  return sharp({ create: { width, height, channels: 3, background: 'white' } })
    .composite([...tiles, { input: Buffer.from(texts), left: 0, top: 0 }])
    .png()
    .toBuffer();
}

function captionOf({ classes, file }: TrainingSample): string[] {
  return [...mixedClasses(classes.map(({ label, weight }) => ({ name: label.name, weight }))), basename(file)];
}

/** Planes one after another -> R, G, B of each pixel. */
export function interleaved(planes: Uint8Array, size: number): Buffer {
  const area = size * size;
  const pixels = Buffer.alloc(3 * area);
  for (let plane = 0; plane < 3; plane++) {
    for (let at = 0; at < area; at++) pixels[3 * at + plane] = planes[plane * area + at] ?? 0;
  }
  return pixels;
}

function fitted(text: string, width: number): string {
  const most = Math.floor(width / letter);
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return visible(text).replace(/[&<>"]/gu, (character) => entities[character] ?? character);
}

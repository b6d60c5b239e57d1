import sharp from 'sharp';
import { heatColour } from '../../protocol/heatColour.ts';
import type { ExplainedImage } from './explainImage.ts';

/** How much of the picture the largest value hides. */
const strongest = 0.65;
const gap = 8;

/** The crops side by side, each with its map over it. */
export async function explanationPicture(
  { crops, size }: ExplainedImage,
  format: 'png' | 'jpeg' = 'png',
): Promise<Buffer> {
  const tiles = await Promise.all(
    crops.map(async ({ pixels, map }, place) => {
      const heat = await enlarged(map, size);
      const data = Buffer.alloc(3 * size * size);
      for (let at = 0; at < size * size; at++) {
        const value = (heat[at] ?? 0) / 255;
        const colour = heatColour(value);
        colour.forEach((level, plane) => {
          const own = pixels[plane * size * size + at] ?? 0;
          data[3 * at + plane] = Math.round(own + (level - own) * strongest * value);
        });
      }
      return {
        input: data,
        raw: { width: size, height: size, channels: 3 as const },
        left: place * (size + gap),
        top: 0,
      };
    }),
  );
  const width = crops.length * (size + gap) - gap;
  return sharp({ create: { width, height: size, channels: 3, background: 'white' } })
    .composite(tiles)
    .toFormat(format)
    .toBuffer();
}

/** A map as one byte a pixel of the crop, smoothly. */
async function enlarged(map: ExplainedImage['crops'][number]['map'], size: number): Promise<Buffer> {
  const bytes = Buffer.from(map.flat().map((value) => Math.round(value * 255)));
  return sharp(bytes, { raw: { width: map[0]?.length ?? 1, height: map.length, channels: 1 } })
    .resize(size, size, { kernel: 'cubic', fit: 'fill' })
    .extractChannel(0)
    .raw()
    .toBuffer();
}

import sharp from 'sharp';
import type { ExplainedImage } from './explainImage.ts';

/** Colours of a map from 0 to 1, between which it goes evenly: dark to light, readable without colour vision. */
const colours = [
  [0, 0, 4],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
] as const;
/** How much of the picture the largest value hides. */
const strongest = 0.65;
const gap = 8;

/** A PNG of the crops side by side, each with its map over it. */
export async function explanationPicture({ crops, size }: ExplainedImage): Promise<Buffer> {
  const tiles = await Promise.all(
    crops.map(async ({ pixels, map }, place) => {
      const heat = await enlarged(map, size);
      const data = Buffer.alloc(3 * size * size);
      for (let at = 0; at < size * size; at++) {
        const value = (heat[at] ?? 0) / 255;
        const colour = colourOf(value);
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
    .png()
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

function colourOf(value: number): readonly number[] {
  const place = Math.min(colours.length - 1.001, Math.max(0, value * (colours.length - 1)));
  const [from = colours[0], to = colours[0]] = [colours[Math.floor(place)], colours[Math.floor(place) + 1]];
  return from.map((level, plane) => level + ((to[plane] ?? 0) - level) * (place % 1));
}

import type { CropPrediction } from '../../protocol/prediction.ts';
import { meanAt, type PlacedMap } from './heatmap.ts';

/** Colours of a map from 0 to 1, between which it goes evenly: dark to light, readable without colour vision. */
const colours = [
  [0, 0, 4],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
] as const;

/**
 * Draws the mean of the maps on a canvas that covers `width` x `height` pixels of the picture from `left` and `top` on. A
 * place where nothing was seen stays clear; where most was, `opacity` of the picture is covered.
 */
export function drawHeat(
  canvas: HTMLCanvasElement,
  placed: readonly PlacedMap[],
  { left, top, width, height }: CropPrediction['frame'],
  opacity: number,
): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const pixels = context.createImageData(canvas.width, canvas.height);
  for (let y = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++) {
      const across = left + ((x + 0.5) / canvas.width) * width;
      const down = top + ((y + 0.5) / canvas.height) * height;
      const value = meanAt(placed, across, down);
      pixels.data.set([...colourOf(value), Math.round(255 * opacity * value)], 4 * (y * canvas.width + x));
    }
  }
  context.putImageData(pixels, 0, 0);
}

/** Levels of red, green and blue from 0 to 255. */
function colourOf(value: number): number[] {
  const place = Math.min(colours.length - 1.001, Math.max(0, value * (colours.length - 1)));
  const [from = colours[0], to = colours[0]] = [colours[Math.floor(place)], colours[Math.floor(place) + 1]];
  return from.map((level, plane) => Math.round(level + ((to[plane] ?? 0) - level) * (place % 1)));
}

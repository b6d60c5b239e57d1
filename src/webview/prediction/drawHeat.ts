import { heatColour } from '../../protocol/heatColour.ts';
import type { CropPrediction } from '../../protocol/prediction.ts';
import { meanAt, type PlacedMap } from './heatmap.ts';

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
      pixels.data.set(
        [...heatColour(value).map(Math.round), Math.round(255 * opacity * value)],
        4 * (y * canvas.width + x),
      );
    }
  }
  context.putImageData(pixels, 0, 0);
}

import * as l10n from '@vscode/l10n';
import type { CropPrediction, ImagePrediction, RankedClass } from '../../protocol/prediction.ts';
import { element } from '../components/element.ts';
import { probabilityBars } from '../components/probabilityBars.ts';
import { drawHeat } from './drawHeat.ts';
import type { HeatMap } from './heatmap.ts';
import type { CropHighlight } from './cropHighlight.ts';
import { cropTitle } from './cropTitle.ts';

const thumbnailPixels = 224;
const heatPixels = 112;

export type CropColumn = {
  element: HTMLElement;
  /** Draws the crop's part of the picture. */
  draw: (picture: HTMLImageElement) => void;
  /** Draws where a class was seen in the crop over it; nothing without a map. */
  drawHeat: (map: HeatMap | undefined, opacity: number) => void;
};

/** One crop: what the network saw, and its ranking. Says so if its first class is not the mean's. */
export function cropColumn(
  { crop, frame, top }: CropPrediction,
  position: number,
  { width, mean }: ImagePrediction,
  highlight: CropHighlight,
): CropColumn {
  const where = cropTitle(crop);
  const canvas = element('canvas', {
    width: thumbnailPixels,
    height: thumbnailPixels,
    role: 'img',
    'aria-label': l10n.t('The {0} crop', where),
  });
  const heat = element('canvas', { class: 'heat', width: heatPixels, height: heatPixels, 'aria-hidden': 'true' });
  const control = element('button', { type: 'button', title: l10n.t('Show this crop on the picture') }, [
    element('span', { class: 'number' }, [String(position + 1)]),
    where,
  ]);
  const column = element('article', { class: 'crop', 'aria-label': l10n.t('Crop {0}, {1}', position + 1, where) }, [
    element('h3', {}, [control]),
    element('div', { class: 'crop-picture' }, [canvas, heat]),
    verdict(top[0], mean[0]),
    probabilityBars(top, { emphasized: mean[0]?.index }),
  ]);
  column.classList.toggle('disagrees', top[0]?.index !== mean[0]?.index);
  highlight.follow(column, control, position);
  highlight.onChange((set) => column.classList.toggle('highlighted', set === position));
  canvas.addEventListener('click', () => control.click());
  return {
    element: column,
    drawHeat: (map, opacity) => {
      heat.hidden = map === undefined;
      if (map) drawHeat(heat, [{ map, frame }], frame, opacity);
    },
    draw: (picture) => {
      const scale = picture.naturalWidth / width;
      const source = [frame.left, frame.top, frame.width, frame.height].map((length) => length * scale);
      const [left = 0, upper = 0, wide = 0, high = 0] = source;
      canvas.getContext('2d')?.drawImage(picture, left, upper, wide, high, 0, 0, thumbnailPixels, thumbnailPixels);
    },
  };
}

function verdict(own: RankedClass | undefined, mean: RankedClass | undefined): HTMLElement {
  const agrees = own?.index === mean?.index;
  return element('p', { class: 'crop-verdict' }, [
    agrees ? l10n.t('= as the mean') : l10n.t('≠ says {0}', own?.name ?? l10n.t('no class')),
  ]);
}

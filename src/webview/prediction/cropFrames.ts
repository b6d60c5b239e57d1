import * as l10n from '@vscode/l10n';
import type { CropPrediction, ImagePrediction } from '../../protocol/prediction.ts';
import { element, svg } from '../components/element.ts';
import type { CropHighlight } from './cropHighlight.ts';
import { cropTitle, isWholeImage } from './cropTitle.ts';

/** The picture with what was seen and the frames of its crops on it, and a button with the number of each. */
export function cropFrames(
  { width, height, crops }: ImagePrediction,
  picture: HTMLImageElement,
  heat: HTMLCanvasElement,
  highlight: CropHighlight,
): HTMLElement {
  const frames = crops.map(({ frame }, position) => frameShape(frame, position));
  const badges = crops.map((crop, position) => badge(crop, position, width, height));
  const overlay = svg('svg', { class: 'frames', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, frames);
  const box = element('div', { class: 'framed' }, [picture, heat, overlay, ...badges]);
  box.style.aspectRatio = `${width} / ${height}`;
  box.style.setProperty('--shape', String(width / height));
  badges.forEach((one, position) => highlight.follow(one, one, position));
  highlight.onChange((position) => {
    box.classList.toggle('highlighting', position !== undefined);
    for (const parts of [frames, badges]) {
      parts.forEach((part, index) => part.classList.toggle('highlighted', index === position));
    }
  });
  return box;
}

function frameShape({ left, top, width, height }: CropPrediction['frame'], position: number): SVGGElement {
  const place = { x: left, y: top, width, height, fill: 'none', 'vector-effect': 'non-scaling-stroke' };
  return svg('g', { class: `frame frame-${position + 1}` }, [
    svg('rect', { ...place, class: 'frame-edge' }),
    svg('rect', { ...place, class: 'frame-line' }),
  ]);
}

/** The crop's number, in its own corner of the picture. */
function badge({ crop, frame, top }: CropPrediction, position: number, width: number, height: number): HTMLElement {
  const where = isWholeImage({ frame }, { width, height }) ? l10n.t('whole image') : cropTitle(crop);
  const label = l10n.t('Crop {0}, {1}: {2}', position + 1, where, top[0]?.name ?? l10n.t('no class'));
  const mark = element('button', { type: 'button', class: 'badge', title: label, 'aria-label': label }, [
    String(position + 1),
  ]);
  const x = crop.includes('right')
    ? frame.left + frame.width
    : crop.includes('left')
      ? frame.left
      : frame.left + frame.width / 2;
  const y = crop.includes('lower')
    ? frame.top + frame.height
    : crop.includes('upper')
      ? frame.top
      : frame.top + frame.height / 2;
  mark.style.left = `${(x / width) * 100}%`;
  mark.style.top = `${(y / height) * 100}%`;
  mark.dataset['corner'] = crop;
  return mark;
}

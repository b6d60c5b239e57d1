import type { CropPrediction, ImagePrediction } from '../../protocol/prediction.ts';
import { element, svg } from '../components/element.ts';

export type CropFrames = {
  element: HTMLElement;
  /** Sets one crop's frame off, by its position; none with undefined. */
  highlight: (position: number | undefined) => void;
};

/** The picture with the frames of its crops and their numbers drawn on it. */
export function cropFrames({ width, height, crops }: ImagePrediction, picture: HTMLImageElement): CropFrames {
  const frames = crops.map(({ frame }, position) => frameShape(frame, position));
  const overlay = svg('svg', { class: 'frames', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, frames);
  const box = element('div', { class: 'framed' }, [
    picture,
    overlay,
    ...crops.map((crop, position) => badge(crop, position, width, height)),
  ]);
  box.style.aspectRatio = `${width} / ${height}`;
  box.style.setProperty('--shape', String(width / height));
  return {
    element: box,
    highlight: (position) => {
      box.classList.toggle('highlighting', position !== undefined);
      frames.forEach((frame, index) => frame.classList.toggle('highlighted', index === position));
    },
  };
}

function frameShape({ left, top, width, height }: CropPrediction['frame'], position: number): SVGGElement {
  const place = { x: left, y: top, width, height, fill: 'none', 'vector-effect': 'non-scaling-stroke' };
  return svg('g', { class: `frame frame-${position + 1}` }, [
    svg('rect', { ...place, class: 'frame-edge' }),
    svg('rect', { ...place, class: 'frame-line' }),
  ]);
}

/** The crop's number, in its own corner of the picture. */
function badge({ crop, frame }: CropPrediction, position: number, width: number, height: number): HTMLElement {
  const mark = element('span', { class: 'badge', 'aria-hidden': 'true' }, [String(position + 1)]);
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

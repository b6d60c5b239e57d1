import * as l10n from '@vscode/l10n';
import type { ImagePrediction } from '../../protocol/prediction.ts';
import { element } from '../components/element.ts';
import { fileName } from '../components/format.ts';
import { menuContext } from '../components/menuContext.ts';
import { probabilityBars } from '../components/probabilityBars.ts';
import { button } from '../components/toolkit.ts';
import { cropColumn } from './cropColumn.ts';
import { cropFrames } from './cropFrames.ts';
import { cropHighlight } from './cropHighlight.ts';
import { isWholeImage } from './cropTitle.ts';
import { agreement, type PredictionRow } from './predictionRows.ts';

export type DetailOptions = {
  /** The picture as the host sent it; undefined while it is on its way. */
  picture: string | undefined;
  onOpen: (image: string) => void;
  onRemove: (image: string) => void;
};

/** All that is known of one image: the frames on the picture, the mean, the centre crop, and a column for each crop. */
export function imageDetail(row: PredictionRow, { picture, onOpen, onRemove }: DetailOptions): HTMLElement {
  const { image } = row;
  return element('section', { class: 'detail', 'aria-label': fileName(image), ...menuContext('image', { image }) }, [
    element('header', {}, [
      element('h1', { title: image }, [fileName(image)]),
      element('span', { class: 'buttons' }, [
        button({ label: l10n.t('Open'), title: l10n.t('Open the image in the editor'), onClick: () => onOpen(image) }),
        button({
          label: l10n.t('Remove'),
          title: l10n.t('Take the image off the list (Delete). The file stays.'),
          onClick: () => onRemove(image),
        }),
      ]),
    ]),
    ...content(row, picture),
  ]);
}

function content(row: PredictionRow, picture: string | undefined): HTMLElement[] {
  if (row.kind === 'classified') return classified(row.prediction, row.thumbnail, picture);
  if (row.kind === 'unclassified')
    return [element('p', { class: 'hint' }, [l10n.t('This image is not classified yet.')])];
  return [element('p', { class: 'notice error' }, [l10n.t('This image could not be read: {0}', row.error)])];
}

function classified(prediction: ImagePrediction, thumbnail: string, picture: string | undefined): HTMLElement[] {
  const image = element('img', { src: picture ?? thumbnail, alt: fileName(prediction.image), draggable: 'false' });
  const highlight = cropHighlight();
  const frames = cropFrames(prediction, image, highlight);
  const columns = prediction.crops.map((crop, position) => cropColumn(crop, position, prediction, highlight));
  image.addEventListener('load', () => {
    for (const column of columns) column.draw(image);
  });
  const several = prediction.crops.length > 1;
  const overview = element('div', { class: 'overview' }, [
    frames,
    element('div', { class: 'verdicts' }, [meanCard(prediction), several ? centerCard(prediction) : undefined]),
  ]);
  if (!several) return [overview];
  const crops = columns.map((column) => column.element);
  return [overview, element('h2', {}, [l10n.t('What each crop says')]), element('div', { class: 'crops' }, crops)];
}

function meanCard(prediction: ImagePrediction): HTMLElement {
  const { mean, crops } = prediction;
  const { agreeing, of } = agreement(prediction);
  const isWhole = crops.every((crop) => isWholeImage(crop, prediction));
  const one = isWhole ? l10n.t('Whole image') : l10n.t('Centre crop');
  const title = of > 1 ? l10n.t('Mean of {0} crops', of) : one;
  return element('article', { class: 'card mean' }, [
    element('h2', {}, [
      title,
      of > 1 ? element('small', {}, [' ', l10n.t('{0} of {1} agree', agreeing, of)]) : undefined,
    ]),
    element('p', { class: 'answer' }, [mean[0]?.name ?? l10n.t('no class')]),
    probabilityBars(mean, { emphasized: mean[0]?.index }),
  ]);
}

function centerCard({ crops, mean }: ImagePrediction): HTMLElement | undefined {
  const center = crops.find(({ crop }) => crop === 'center');
  if (center === undefined) return undefined;
  const same = center.top[0]?.index === mean[0]?.index;
  return element('article', { class: same ? 'card' : 'card disagrees' }, [
    element('h2', {}, [
      l10n.t('Centre crop alone'),
      element('small', {}, [' ', same ? l10n.t('the same class') : l10n.t('≠ another class')]),
    ]),
    element('p', { class: 'answer' }, [center.top[0]?.name ?? l10n.t('no class')]),
    probabilityBars(center.top, { emphasized: mean[0]?.index }),
  ]);
}

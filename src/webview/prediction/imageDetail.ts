import * as l10n from '@vscode/l10n';
import type { Explanation } from '../../protocol/explanation.ts';
import type { ImagePrediction } from '../../protocol/prediction.ts';
import { element } from '../components/element.ts';
import { fileName, images } from '../../charts/format.ts';
import { menuContext } from '../components/menuContext.ts';
import { probabilityBars } from '../components/probabilityBars.ts';
import { button } from '../components/toolkit.ts';
import { cropColumn } from './cropColumn.ts';
import { cropFrames } from './cropFrames.ts';
import { cropHighlight } from './cropHighlight.ts';
import { isWholeImage } from './cropTitle.ts';
import { drawHeat } from './drawHeat.ts';
import type { Look } from './knownLooks.ts';
import { type LookedOptions, lookedSection } from './lookedSection.ts';
import { agreement, type PredictionRow } from './predictionRows.ts';

/** Pixels of the longer side in which what was seen is drawn over the picture. */
const heatPixels = 320;

export type DetailOptions = {
  /** The picture as the host sent it; undefined while it is on its way. */
  picture: string | undefined;
  onOpen: (image: string) => void;
  onRemove: (image: string) => void;
} & LookedOptions;

export type ImageDetail = {
  element: HTMLElement;
  /** Shows where a class was seen. */
  look: (look: Look, opacity: number) => void;
};

/** All that is known of one image: the frames on the picture, the mean, the centre crop, and a column for each crop. */
export function imageDetail(row: PredictionRow, options: DetailOptions): ImageDetail {
  const { onOpen, onRemove } = options;
  const { image } = row;
  const { parts, look } = content(row, options);
  const section = element(
    'section',
    { class: 'detail', 'aria-label': fileName(image), ...menuContext('image', { image }) },
    [
      element('header', {}, [
        element('h1', { title: image }, [fileName(image)]),
        element('span', { class: 'buttons' }, [
          button({
            label: l10n.t('Open'),
            title: l10n.t('Open the image in the editor'),
            onClick: () => onOpen(image),
          }),
          button({
            label: l10n.t('Remove'),
            title: l10n.t('Remove the image from the list (Delete). The file stays.'),
            onClick: () => onRemove(image),
          }),
        ]),
      ]),
      ...parts,
    ],
  );
  return { element: section, look };
}

type Content = { parts: HTMLElement[]; look: ImageDetail['look'] };

function content(row: PredictionRow, options: DetailOptions): Content {
  if (row.kind === 'classified') return classified(row.prediction, row.thumbnail, options);
  const told =
    row.kind === 'unclassified'
      ? element('p', { class: 'hint' }, [l10n.t('This image is not classified yet.')])
      : element('p', { class: 'notice error' }, [l10n.t('This image could not be read: {0}', row.error)]);
  return { parts: [told], look: () => undefined };
}

function classified(prediction: ImagePrediction, thumbnail: string, options: DetailOptions): Content {
  const { picture } = options;
  const { width, height } = prediction;
  const image = element('img', { src: picture ?? thumbnail, alt: fileName(prediction.image), draggable: 'false' });
  const scale = heatPixels / Math.max(width, height);
  const heat = element('canvas', {
    ...{ class: 'heat', 'aria-hidden': 'true' },
    ...{ width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) },
  });
  const looked = lookedSection(prediction, options);
  const highlight = cropHighlight();
  const frames = cropFrames(prediction, image, heat, highlight);
  const columns = prediction.crops.map((crop, position) => cropColumn(crop, position, prediction, highlight));
  image.addEventListener('load', () => {
    for (const column of columns) column.draw(image);
  });
  const several = prediction.crops.length > 1;
  const overview = element('div', { class: 'overview' }, [
    frames,
    element('div', { class: 'verdicts' }, [meanCard(prediction), several ? centerCard(prediction) : undefined]),
  ]);
  const look: Content['look'] = (shown, opacity) => {
    looked.draw(shown, opacity);
    const seen = seenIn(shown, prediction);
    heat.hidden = seen.length === 0;
    if (seen.length > 0) drawHeat(heat, seen, { left: 0, top: 0, width, height }, opacity);
    columns.forEach((column, at) => {
      const own = seen.find(({ crop }) => crop === prediction.crops[at]?.crop);
      column.drawHeat(own?.map, opacity);
    });
  };
  const above = [overview, looked.element];
  if (!several) return { parts: above, look };
  const crops = columns.map((column) => column.element);
  const parts = [
    ...above,
    element('h2', {}, [l10n.t('What each crop says')]),
    element('div', { class: 'crops' }, crops),
  ];
  return { parts, look };
}

/** What was seen in the crops of the prediction. */
function seenIn(look: Look, { crops }: ImagePrediction): Explanation['crops'] {
  if (look.state !== 'seen') return [];
  return look.explanation.crops.filter(({ crop }) => crops.some((each) => each.crop === crop));
}

function meanCard(prediction: ImagePrediction): HTMLElement {
  const { mean, crops, temperature } = prediction;
  const { agreeing, of } = agreement(prediction);
  const isWhole = crops.every((crop) => isWholeImage(crop, prediction));
  const one = isWhole ? l10n.t('Whole image') : l10n.t('Center crop');
  const title = of > 1 ? l10n.t('Mean of {0} crops', of) : one;
  return element('article', { class: 'card mean' }, [
    element('h2', {}, [
      title,
      of > 1 ? element('small', {}, [' ', l10n.t('{0} of {1} agree', agreeing, of)]) : undefined,
    ]),
    element('p', { class: 'answer' }, [mean[0]?.name ?? l10n.t('no class')]),
    probabilityBars(mean, { emphasized: mean[0]?.index }),
    temperature === undefined
      ? undefined
      : element('p', { class: 'hint' }, [
          l10n.t('Scaled by the checkpoint’s temperature, fitted on {0}.', images(temperature.images)),
        ]),
  ]);
}

function centerCard({ crops, mean }: ImagePrediction): HTMLElement | undefined {
  const center = crops.find(({ crop }) => crop === 'center');
  if (center === undefined) return undefined;
  const same = center.top[0]?.index === mean[0]?.index;
  return element('article', { class: same ? 'card' : 'card disagrees' }, [
    element('h2', {}, [
      l10n.t('Center crop alone'),
      element('small', {}, [' ', same ? l10n.t('the same class') : l10n.t('≠ another class')]),
    ]),
    element('p', { class: 'answer' }, [center.top[0]?.name ?? l10n.t('no class')]),
    probabilityBars(center.top, { emphasized: mean[0]?.index }),
  ]);
}

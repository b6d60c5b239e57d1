import type { ImagePrediction } from '../../protocol/prediction.ts';
import { element } from '../components/element.ts';
import { fileName } from '../components/format.ts';
import { probabilityBars } from '../components/probabilityBars.ts';
import { button } from '../components/toolkit.ts';
import { cropColumn } from './cropColumn.ts';
import { cropFrames } from './cropFrames.ts';
import { agreement, type PredictionRow } from './predictionRows.ts';

export type DetailOptions = {
  /** The picture as the host sent it; undefined while it is on its way. */
  picture: string | undefined;
  onOpen: (image: string) => void;
};

/** All that is known of one image: the frames on the picture, the mean, the centre crop, and a column a crop. */
export function imageDetail(row: PredictionRow, options: DetailOptions): HTMLElement {
  return element('section', { class: 'detail', 'aria-label': fileName(row.image) }, [
    element('header', {}, [
      element('h1', { title: row.image }, [fileName(row.image)]),
      button({ label: 'Open', title: 'Open the image in the editor', onClick: () => options.onOpen(row.image) }),
    ]),
    ...(row.kind === 'failed'
      ? [element('p', { class: 'notice error' }, [`This image could not be classified: ${row.error}`])]
      : classified(row.prediction, row.thumbnail, options.picture)),
  ]);
}

function classified(prediction: ImagePrediction, thumbnail: string, picture: string | undefined): HTMLElement[] {
  const image = element('img', { src: picture ?? thumbnail, alt: fileName(prediction.image), draggable: 'false' });
  const frames = cropFrames(prediction, image);
  const columns = prediction.crops.map((crop, position) => cropColumn(crop, position, prediction, frames.highlight));
  image.addEventListener('load', () => {
    for (const column of columns) column.draw(image);
  });
  const several = prediction.crops.length > 1;
  return [
    element('div', { class: 'overview' }, [
      frames.element,
      element('div', { class: 'verdicts' }, [meanCard(prediction), several ? centerCard(prediction) : undefined]),
    ]),
    several ? element('h2', {}, ['What each crop says']) : undefined,
    several
      ? element(
          'div',
          { class: 'crops' },
          columns.map((column) => column.element),
        )
      : undefined,
  ].filter((part) => part !== undefined);
}

function meanCard(prediction: ImagePrediction): HTMLElement {
  const { mean } = prediction;
  const { agreeing, of } = agreement(prediction);
  const title = of > 1 ? `Mean of ${of} crops` : 'Centre crop';
  return element('article', { class: 'card mean' }, [
    element('h2', {}, [title, of > 1 ? element('small', {}, [` ${agreeing} of ${of} agree`]) : undefined]),
    element('p', { class: 'answer' }, [mean[0]?.name ?? 'no class']),
    probabilityBars(mean, { emphasized: mean[0]?.index }),
  ]);
}

function centerCard({ crops, mean }: ImagePrediction): HTMLElement | undefined {
  const center = crops.find(({ crop }) => crop === 'center');
  if (center === undefined) return undefined;
  const same = center.top[0]?.index === mean[0]?.index;
  return element('article', { class: same ? 'card' : 'card disagrees' }, [
    element('h2', {}, ['Centre crop alone', element('small', {}, [same ? ' the same class' : ' ≠ another class'])]),
    element('p', { class: 'answer' }, [center.top[0]?.name ?? 'no class']),
    probabilityBars(center.top, { emphasized: mean[0]?.index }),
  ]);
}

import * as l10n from '@vscode/l10n';
import { element, svg } from '../components/element.ts';
import { count, fileName, percent } from '../../charts/format.ts';
import type { Pictures } from '../components/pictures.ts';
import { probabilityBars } from '../components/probabilityBars.ts';
import type { PinnedPrediction, RunCurves } from '../../charts/runCurves.ts';
import type { PageRun } from './shownRun.ts';
import { setText } from '../components/setText.ts';

const shownClasses = 4;
const sparkWidth = 120;
const sparkHeight = 24;

type PinnedOptions = {
  pictures: Pictures;
  className: (index: number) => string;
  onOpen: (image: string) => void;
};

export type PinnedSection = { element: HTMLElement; show: (run: PageRun) => void };

/** The pinned images of the run in focus, if it has any. */
export function pinnedSection(pictures: Pictures, onOpen: (image: string) => void): PinnedSection {
  const heading = element('h2');
  const place = element('div');
  const section = element('section', { 'aria-label': l10n.t('Pinned images'), hidden: true }, [heading, place]);
  let shown = '';
  return {
    element: section,
    show: ({ folder, curves, record }) => {
      const key = `${folder} ${curves.pinned.length} ${curves.steps.generation}`;
      if (key === shown) return;
      shown = key;
      const className = (index: number) =>
        record.data?.classes.find((each) => each.index === index)?.name ?? l10n.t('class {0}', index);
      const cards = pinnedPredictions(curves, { pictures, className, onOpen });
      section.hidden = cards === undefined;
      setText(heading, l10n.t('Pinned images at step {0}', count(curves.pinned.at(-1)?.step ?? 0)));
      place.replaceChildren(...(cards === undefined ? [] : [cards]));
    },
  };
}

/** The pinned validation images as the last validation saw them, each with the way its own class's probability took. */
function pinnedPredictions({ pinned }: RunCurves, options: PinnedOptions): HTMLElement | undefined {
  const last = pinned.at(-1);
  if (last === undefined) return undefined;
  return element(
    'div',
    { class: 'pinned' },
    last.predictions.map((prediction) => card(prediction, pinned, options)),
  );
}

function card(prediction: PinnedPrediction, history: RunCurves['pinned'], options: PinnedOptions): HTMLElement {
  const { image, actual, mean } = prediction;
  const right = mean[0]?.index === actual;
  const name = options.className(actual);
  const open = element(
    'button',
    { type: 'button', class: 'picture-button', title: l10n.t('Open {0}', image), onclick: () => options.onOpen(image) },
    [options.pictures.image(image, fileName(image))],
  );
  return element('article', { class: 'card', 'aria-label': `${fileName(image)}, ${name}` }, [
    open,
    element('p', { class: right ? 'verdict right' : 'verdict wrong' }, [`${right ? '✓' : '✗'} ${name}`]),
    probabilityBars(mean, { emphasized: actual, limit: shownClasses }),
    sparkline(history.map(({ predictions }) => probabilityOf(predictions, image))),
  ]);
}

/** Probability of the image's own class; 0 if it is not among the recorded ones. */
function probabilityOf(predictions: readonly PinnedPrediction[], image: string): number {
  const found = predictions.find((prediction) => prediction.image === image);
  return found?.mean.find(({ index }) => index === found.actual)?.probability ?? 0;
}

function sparkline(values: readonly number[]): SVGSVGElement | undefined {
  if (values.length < 2) return undefined;
  const y = (value: number) => sparkHeight - 2 - value * (sparkHeight - 4);
  const points = values.map((value, index) => `${(index / (values.length - 1)) * sparkWidth},${y(value)}`).join(' ');
  const label = l10n.t(
    'Probability of its own class over {0} validations: {1} to {2}',
    values.length,
    percent(values[0] ?? 0),
    percent(values.at(-1) ?? 0),
  );
  return svg(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${sparkWidth} ${sparkHeight}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': label,
    },
    [svg('title', {}, [label]), svg('polyline', { points, fill: 'none', 'vector-effect': 'non-scaling-stroke' })],
  );
}

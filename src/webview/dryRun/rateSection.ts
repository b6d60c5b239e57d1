import * as l10n from '@vscode/l10n';
import type { Curve } from '../../charts/curve.ts';
import type { Range } from '../../charts/downsample.ts';
import { short } from '../../charts/format.ts';
import type { RateFound, RatePoint } from '../../protocol/dryRun.ts';
import type { DryRunPanelToHost } from '../../protocol/dryRunPanel.ts';
import { element } from '../components/element.ts';
import { setText } from '../components/setText.ts';
import { themeColors } from '../components/themeColors.ts';
import { button } from '../components/toolkit.ts';
import { createChart } from '../components/chart.ts';
import { within } from '../../charts/runCharts.ts';
import type { Known } from './known.ts';

export type RateSection = { element: HTMLElement; draw: (known: Known) => void; restyle: () => void };

/** The losses at growing learning rates, and the rates that they suggest. */
export function rateSection(send: (message: DryRunPanelToHost) => void): RateSection {
  let known: Known = {};
  let zoom: Range | undefined;
  const words = element('p', { class: 'figures', role: 'status' });
  const uses = element('div', { class: 'toolbar' });
  const chart = createChart({
    shape: 0.4,
    onZoom: (range) => {
      zoom = range && within(range, wholeRange(known.points?.points ?? []));
      draw(known);
    },
    onHover: () => undefined,
  });
  const hint = element('p', { class: 'hint' }, [
    l10n.t('One step per learning rate, from low to high, on the batches that the training would begin with (Smith 2017). Take the rate at which the loss falls fastest, or a tenth of the one at which it is lowest.'), // prettier-ignore
  ]);
  const section = element('section', {}, [
    element('h2', {}, [l10n.t('Learning rate')]),
    words,
    uses,
    element('div', { class: 'rate-chart' }, [chart.element]),
    hint,
  ]);
  let offered: RateFound | undefined;
  const draw = (now: Known): void => {
    known = now;
    const points = now.rate?.rate.points ?? now.points?.points ?? [];
    section.hidden = points.length === 0;
    if (points.length === 0) return;
    const rate = now.rate?.rate;
    setText(words, rate ? wordsOf(rate) : '');
    if (rate !== offered) {
      offered = rate;
      const use = (learningRate: number, primary: boolean) =>
        button({ label: l10n.t('Use {0}', short(learningRate, 2)), primary, onClick: () => send({ type: 'back', learningRate }) }); // prettier-ignore
      uses.replaceChildren(...(rate ? suggested(rate).map((each, at) => use(each, at === 0)) : []));
    }
    chart.show({
      kind: { title: l10n.t('Loss of each batch'), values: l10n.t('Loss'), log: false, percent: false },
      curves: curvesOf(points, rate),
      axis: 'rate',
      range: zoom ?? wholeRange(points),
      marks: undefined,
    });
  };
  const restyle = (): void => {
    // The curves bear the theme's colours too.
    draw(known);
    chart.restyle();
  };
  return { element: section, draw, restyle };
}

/** Two digits: the test tells no more. */
function suggested({ steepest, least }: RateFound): number[] {
  const rates = [...(steepest === undefined ? [] : [steepest]), least / 10];
  return [...new Set(rates.map((rate) => Number(rate.toPrecision(2))))];
}

function wordsOf({ steepest, least }: RateFound): string {
  if (steepest === undefined) return l10n.t('The loss does not fall at any of these learning rates.');
  return l10n.t('The loss falls fastest at {0}. It is lowest at {1}; a tenth of that is {2}.', short(steepest, 2), short(least, 2), short(least / 10, 2)); // prettier-ignore
}

function wholeRange(points: readonly RatePoint[]): Range {
  const places = points.map(({ learningRate }) => Math.log10(learningRate));
  const [first = -6, last = 0] = [places[0], places.at(-1)];
  return { min: first, max: Math.max(last, first + 1) };
}

function curvesOf(points: readonly RatePoint[], rate: RateFound | undefined): Curve[] {
  const colors = themeColors();
  const [ofBatches = colors.foreground, smoothed = colors.foreground] = colors.curves;
  // What rises far above where it began would hide the fall.
  const top = 1.3 * Math.max(...points.slice(0, 5).map(({ loss }) => loss));
  const curve = (
    look: Omit<Curve, 'points' | 'dash'>,
    values: readonly (readonly [rate: number, loss: number])[],
  ): Curve => ({
    ...look,
    dash: [],
    points: () => ({
      x: Float64Array.from(values, ([each]) => Math.log10(each)),
      y: Float64Array.from(values, ([, loss]) => Math.min(loss, top)),
    }),
  });
  const batches = curve(
    { label: l10n.t('Loss of a batch'), color: ofBatches, width: 1, alpha: rate ? 0.5 : 1 },
    points.map(({ learningRate, loss }) => [learningRate, loss]),
  );
  if (!rate) return [batches];
  const means = points.map(({ learningRate }, at) => [learningRate, rate.smoothed[at] ?? Number.NaN] as const);
  const chosen = means.filter(([each]) => each === rate.steepest);
  return [
    batches,
    curve({ label: l10n.t('Mean of its neighbors'), color: smoothed, width: 2, alpha: 1 }, means),
    ...(chosen.length > 0
      ? [
          curve(
            { label: l10n.t('Falls fastest'), color: colors.foreground, width: 2, alpha: 1, marker: 'diamond' },
            chosen,
          ),
        ]
      : []),
  ];
}

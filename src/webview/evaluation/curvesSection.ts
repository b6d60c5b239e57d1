import * as l10n from '@vscode/l10n';
import type { Range } from '../../charts/downsample.ts';
import { percent } from '../../charts/format.ts';
import { createChart } from '../components/chart.ts';
import { element } from '../components/element.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { setText } from '../components/setText.ts';
import { onThemeChange, themeColors } from '../components/themeColors.ts';
import { button, dropdown, labelled } from '../components/toolkit.ts';
import { curvesChoices, curvesNote, curvesOf, curvesTitle, fewImagesNote, shareOfOwn } from './curvesTexts.ts';
import type { ImageGroup } from './imageGroup.ts';
import type { EvaluationPageState } from './pageState.ts';
import { pointAt, scoreCharts, scorePoints, thresholdAt, type CurvesOf } from './scoreCharts.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';
import type { ShownScores } from './shownScores.ts';
import { thresholdTable } from './thresholdTable.ts';

type CurvesState = EvaluationPageState['curves'];
type Shown = { evaluation: ShownEvaluation; scores: ShownScores; of: CurvesOf; threshold: number };
export type CurvesFormat = 'csv' | 'svg' | 'png';

export type CurvesSectionOptions = {
  onChoose: (curves: CurvesState) => void;
  onOpen: (group: ImageGroup) => void;
  onExport: (format: CurvesFormat) => void;
};

export type CurvesSection = {
  element: HTMLElement;
  /** Without `scores` the section says `lacking`, which is why. */
  draw: (evaluation: ShownEvaluation, scores: ShownScores | undefined, lacking: string, state: CurvesState) => void;
};

const sliderSteps = 1000;
const whole: Range = { min: 0, max: 1 };
const axes = ['recall', 'falsePositiveRate'] as const;
const formats = ['png', 'svg', 'csv'] as const;

/** Precision-recall and ROC curves, and the images behind a threshold of theirs. */
export function curvesSection({ onChoose, onOpen, onExport }: CurvesSectionOptions): CurvesSection {
  let shown: Shown | undefined;
  const choose = (changed: Partial<CurvesState>): void => {
    if (shown) onChoose({ of: shown.of, threshold: shown.threshold, ...changed });
  };
  const of = dropdown(l10n.t('Curves of'), (value) => choose({ of: curvesOf(value) }));
  const slider = thresholdSlider((threshold) => choose({ threshold }));
  const note = element('p', { class: 'hint' });
  const few = element('p', { class: 'note' });
  const charts = scoreChartPair((axis, place) => {
    const threshold = shown && thresholdAt(scorePoints(shown.scores, shown.of), axis, place);
    if (threshold !== undefined) choose({ threshold });
  });
  const behind = element('div');
  const exports = element('span', { class: 'exports' }, formats.map((format) => exportButton(format, onExport))); // prettier-ignore
  const tools = element('div', { class: 'toolbar' }, [labelled(l10n.t('Curves of'), of.element), slider.element, exports]); // prettier-ignore
  const section = element('section', { 'aria-label': l10n.t('Precision, recall and ROC') }, [
    element('h2', {}, [l10n.t('Precision, recall and ROC')]),
    ...[tools, note, few, charts.element, behind],
  ]);
  const draw: CurvesSection['draw'] = (evaluation, scores, lacking, state) => {
    for (const part of [tools, charts.element, behind]) part.hidden = scores === undefined;
    if (scores === undefined) {
      shown = undefined;
      few.hidden = true;
      setText(note, lacking);
      return;
    }
    const next = { evaluation, scores, of: knownCurves(state.of, scores), threshold: state.threshold };
    if (shown && JSON.stringify([shown.of, shown.threshold]) === JSON.stringify([next.of, next.threshold]) && shown.evaluation === evaluation && shown.scores === scores) return; // prettier-ignore
    shown = next;
    of.update(curvesChoices(scores), String(next.of));
    slider.show(next.of === 'macro' ? undefined : next.threshold);
    setText(note, curvesNote(next.of, scores));
    const fewNote = fewImagesNote(next.of, evaluation);
    few.hidden = fewNote === '';
    setText(few, fewNote);
    charts.draw(next);
    keepFocus(behind, () => behind.replaceChildren(...behindThreshold(next, onOpen)));
  };
  return { element: section, draw };
}

/** A class of another test is none of this one's. */
function knownCurves(of: CurvesOf, scores: ShownScores): CurvesOf {
  return typeof of !== 'number' || scores.curves().some(({ index }) => index === of) ? of : 'macro';
}

type ChartPair = { element: HTMLElement; draw: (shown: Shown) => void };

function scoreChartPair(onPick: (axis: (typeof axes)[number], place: number) => void): ChartPair {
  const ranges = { recall: whole, falsePositiveRate: whole };
  let shown: Shown | undefined;
  const charts = axes.map((axis) =>
    createChart({
      shape: 0.7,
      onZoom: (range) => {
        ranges[axis] = range === undefined ? whole : { min: Math.max(0, range.min), max: Math.min(1, range.max) };
        redraw();
      },
      onHover: () => undefined,
      onPick: (place) => onPick(axis, place),
    }),
  );
  const redraw = (): void => {
    if (!shown) return;
    const { evaluation, scores, of, threshold } = shown;
    const point = pointAt(scorePoints(scores, of), threshold);
    const own = shareOfOwn(of, evaluation, scores.classes);
    scoreCharts(scores, of, { label: curvesTitle(of, evaluation), own, colors: themeColors() }).forEach((chart, at) => {
      const marks = point === undefined ? undefined : [point[chart.axis]];
      charts[at]?.show({ ...chart, range: ranges[chart.axis], marks, marked: l10n.t('The threshold') });
    });
  };
  onThemeChange(redraw);
  return {
    element: element('div', { class: 'score-charts' }, charts.map(({ element: each }) => each)), // prettier-ignore
    draw: (next) => {
      shown = next;
      redraw();
    },
  };
}

function thresholdSlider(onChoose: (threshold: number) => void) {
  const output = element('output');
  const slider = element('input', { type: 'range', min: 0, max: sliderSteps, step: 1, 'aria-label': l10n.t('Threshold') }); // prettier-ignore
  slider.addEventListener('input', () => onChoose(Number(slider.value) / sliderSteps));
  const label = element('label', { class: 'labelled' }, [element('span', {}, [l10n.t('Threshold')]), slider, output]);
  return {
    element: label,
    show: (threshold: number | undefined): void => {
      label.hidden = threshold === undefined;
      if (threshold === undefined) return;
      slider.value = String(Math.round(threshold * sliderSteps));
      slider.setAttribute('aria-valuetext', percent(threshold));
      setText(output, percent(threshold));
    },
  };
}

const exportTitles: Record<CurvesFormat, string> = {
  png: l10n.t('Export the curves as a PNG picture'),
  svg: l10n.t('Export the curves as an SVG picture'),
  csv: l10n.t('Export precision, recall and false positive rate at each threshold as CSV'),
};

function exportButton(format: CurvesFormat, onExport: (format: CurvesFormat) => void): HTMLElement {
  return button({ label: format.toUpperCase(), title: exportTitles[format], onClick: () => onExport(format) });
}

/** Nothing of a mean, which has no thresholds. */
function behindThreshold({ scores, of, threshold }: Shown, onOpen: (group: ImageGroup) => void): HTMLElement[] {
  if (of === 'macro') return [];
  const groups = scores.behind(of, threshold);
  return [thresholdTable(groups, (part) => onOpen({ kind: 'curve', of, threshold, part }))];
}

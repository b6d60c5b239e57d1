import * as l10n from '@vscode/l10n';
import type { ChartColors } from './chartColors.ts';
import { countUpTo } from './columns.ts';
import type { ChartKind, Curve, LineStyle } from './curve.ts';
import type { Points, Range } from './downsample.ts';
import type { DrawnRun } from './drawnRun.ts';
import { epochEnds, type StepColumn, type ValidationColumn } from './runCurves.ts';
import { smooth } from './smoothing.ts';
import { axisTexts, type XAxis } from './xAxis.ts';

/** How the curves of runs are drawn. */
export type ChartChoices = {
  axis: XAxis;
  /** Weight of the smoothing; 0 draws no smoothed curve. */
  smoothing: number;
  /** A logarithmic axis for the loss. */
  logScale: boolean;
};

export type RunChart = { kind: ChartKind; curves: Curve[] };

/** Of so few classes the right one is always among the five most probable. */
const topFiveOf = 5;

/** Whether the top-5 accuracy of a run says anything. */
export function hasTopFive({ curves, record }: DrawnRun): boolean {
  return (curves.start?.classes ?? record.data?.classes.length ?? topFiveOf) > topFiveOf;
}

/** The charts that are always there: loss and accuracy. */
export function mainCharts(runs: readonly DrawnRun[], choices: ChartChoices, colors: ChartColors): RunChart[] {
  const { axis, smoothing, logScale } = choices;
  const linesOf = linesOfRuns(runs, colors);
  const loss = runs.flatMap((run) => {
    const { name, training, validation } = linesOf(run);
    const recorded = {
      ...training,
      label: name(l10n.t('Training loss')),
      ...(smoothing === 0 ? {} : { width: 1, alpha: 0.5 }),
      points: () => stepPoints(run, axis, 'loss'),
    };
    const smoothed = {
      ...training,
      label: name(l10n.t('Training loss, smoothed')),
      points: () => smoothedPoints(run, smoothing, axis),
    };
    const validated = {
      ...validation,
      label: name(l10n.t('Validation loss')),
      points: () => validationPoints(run, axis, 'validLoss'),
    };
    return smoothing === 0 ? [recorded, validated] : [recorded, smoothed, validated];
  });
  const accuracy = runs.flatMap((run) => {
    const { name, validation } = linesOf(run);
    const topOne = {
      ...validation,
      label: name(l10n.t('Top-1 accuracy')),
      points: () => validationPoints(run, axis, 'validAccuracy'),
    };
    const topFive = {
      ...validation,
      marker: undefined,
      width: 1.5,
      ...(runs.length === 1 ? { dash: [5, 4] } : {}),
      label: name(l10n.t('Top-5 accuracy')),
      points: () => validationPoints(run, axis, 'validTop5'),
    };
    return hasTopFive(run) ? [topOne, topFive] : [topOne];
  });
  return [
    { kind: { title: l10n.t('Loss'), values: l10n.t('Loss'), log: logScale, percent: false }, curves: loss },
    {
      kind: { title: l10n.t('Validation accuracy'), values: l10n.t('Accuracy'), log: false, percent: true },
      curves: accuracy,
    },
  ];
}

/** The charts that are folded away at first: learning rate, speed, and the norm of the gradients of the runs that say it. */
export function furtherCharts(runs: readonly DrawnRun[], { axis }: ChartChoices, colors: ChartColors): RunChart[] {
  const linesOf = linesOfRuns(runs, colors);
  const chart = (title: string, column: StepColumn, drawn = runs): RunChart => ({
    kind: { title, values: title, log: false, percent: false },
    curves: drawn.map((run) => {
      const { name, training } = linesOf(run);
      return { ...training, label: name(title), points: () => stepPoints(run, axis, column) };
    }),
  });
  const withNorm = runs.filter(({ curves: { steps } }) => steps.values('gradientNorm').some(Number.isFinite));
  return [
    chart(l10n.t('Learning rate'), 'learningRate'),
    chart(l10n.t('Images per second'), 'imagesPerSecond'),
    ...(withNorm.length === 0 ? [] : [chart(l10n.t('Gradient norm'), 'gradientNorm', withNorm)]),
  ];
}

type RunLines = { name: (label: string) => string; training: LineStyle; validation: LineStyle };

/**
 * How a run's lines look. Of several runs each has a colour, and its name in the labels; of one alone training and
 * validation have each their own. Validation has the thicker lines and the marks.
 */
function linesOfRuns(
  runs: readonly DrawnRun[],
  { curves: colors, foreground }: ChartColors,
): (run: DrawnRun) => RunLines {
  const alone = runs.length === 1;
  const color = (position: number) => colors[position % colors.length] ?? foreground;
  return ({ title, style: { color: position, dash, marker } }) => {
    const line = { dash, alpha: 1 };
    return {
      name: (label) => (alone ? label : `${title}: ${label}`),
      training: { ...line, color: color(position), width: 1.5 },
      validation: { ...line, color: color(alone ? position + 1 : position), width: 2.5, marker },
    };
  };
}

/** The training loss after smoothing; kept with the run, so that a new step costs one addition. */
export function smoothedPoints(run: DrawnRun, weight: number, axis: XAxis): Points {
  const { steps } = run.curves;
  const before = run.smoothed?.generation === steps.generation ? run.smoothed.result : undefined;
  const result = smooth(steps.values('meanLoss'), weight, before, steps.values('meanSteps'));
  run.smoothed = { result, generation: steps.generation };
  return { x: steps.values(axisTexts[axis].column), y: result.values.subarray(0, result.length) };
}

function stepPoints({ curves: { steps } }: DrawnRun, axis: XAxis, column: StepColumn): Points {
  return { x: steps.values(axisTexts[axis].column), y: steps.values(column) };
}

function validationPoints({ curves: { validations } }: DrawnRun, axis: XAxis, column: ValidationColumn): Points {
  return { x: validations.values(axisTexts[axis].column), y: validations.values(column) };
}

/** All of an axis that the runs cover, from 0, with a little room after the last point. */
export function wholeRange(runs: readonly DrawnRun[], axis: XAxis): Range {
  const { column } = axisTexts[axis];
  const last = runs.flatMap(({ curves: { steps, validations } }) => [
    steps.values(column).at(-1) ?? 0,
    validations.values(column).at(-1) ?? 0,
  ]);
  return { min: 0, max: Math.max(0, ...last) * 1.02 || 1 };
}

/** A part of an axis kept inside the whole; undefined if it is all of it. */
export function within({ min, max }: Range, whole: Range): Range | undefined {
  const range = { min: Math.max(whole.min, min), max: Math.min(whole.max, max) };
  if (range.max - range.min < 1e-3 || (range.min <= whole.min && range.max >= whole.max)) return undefined;
  return range;
}

/** More lines than this would hide the curves. */
const mostMarks = 100;

/** Where the epochs of the run in focus ended, inside a range; undefined if they are too many to be drawn. */
export function epochMarks({ curves }: DrawnRun, axis: XAxis, range: Range): number[] | undefined {
  const stepsPerEpoch = curves.start?.stepsPerEpoch ?? NaN;
  const places = curves.steps.values(axisTexts[axis].column);
  const steps = curves.steps.values('step');
  const stepAt = (place: number) => {
    if (axis === 'time') return steps[countUpTo(places, place) - 1] ?? 0;
    return axis === 'epoch' ? place * stepsPerEpoch : place;
  };
  const placeOf = (step: number) => {
    if (axis === 'time') return places[countUpTo(steps, step) - 1] ?? NaN;
    return axis === 'epoch' ? step / stepsPerEpoch : step;
  };
  const [min, max] = [stepAt(range.min), stepAt(range.max)];
  if ((max - min) / stepsPerEpoch > mostMarks) return undefined;
  return epochEnds(curves, { min, max }).map(placeOf);
}

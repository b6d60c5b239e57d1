import * as l10n from '@vscode/l10n';
import { count, duration, percent, short } from './format.ts';
import type { Range } from './downsample.ts';
import { linearTicks, multiples } from './ticks.ts';

/** What the x axis of runs' charts can count. */
export const xAxes = ['step', 'epoch', 'time'] as const;
export type XAxis = (typeof xAxes)[number];
/**
 * What an axis of any chart can count: `rate` is the logarithm to base 10 of a learning rate, the others are the shares of
 * precision-recall and ROC curves.
 */
export type ChartAxis = XAxis | 'rate' | 'recall' | 'falsePositiveRate';

type AxisTexts = { column: 'step' | 'epoch' | 'seconds'; choice: string; title: string };

/** The column of a run's points that an axis shows, what the choice of it is called, and its title. */
export const axisTexts: Record<XAxis, AxisTexts> = {
  step: { column: 'step', choice: l10n.t('Step'), title: l10n.t('Step') },
  epoch: { column: 'epoch', choice: l10n.t('Epoch'), title: l10n.t('Epoch') },
  time: { column: 'seconds', choice: l10n.t('Time'), title: l10n.t('Time trained') },
};

const titles = {
  rate: l10n.t('Learning rate'),
  recall: l10n.t('Recall'),
  falsePositiveRate: l10n.t('False positive rate'),
};

export function axisTitle(axis: ChartAxis): string {
  return axis === 'rate' || isShare(axis) ? titles[axis] : axisTexts[axis].title;
}

function isShare(axis: ChartAxis): axis is 'recall' | 'falsePositiveRate' {
  return axis === 'recall' || axis === 'falsePositiveRate';
}

const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** Where an axis has its ticks, about `wanted` of them. Steps are whole, and learning rates powers of 10. */
export function xTicks(axis: ChartAxis, range: Range, wanted: number): number[] {
  if (axis !== 'time') return linearTicks(range, wanted, axis === 'step' || axis === 'rate' ? 1 : 0);
  const rough = (range.max - range.min) / wanted;
  const step = timeSteps.find((seconds) => seconds >= rough);
  return step === undefined || rough < 1 ? linearTicks(range, wanted) : multiples(range, step);
}

export function xLabel(axis: ChartAxis, value: number): string {
  if (axis === 'rate') return short(10 ** value, 2);
  if (isShare(axis)) return percent(value, value * 100 === Math.round(value * 100) ? 0 : 1);
  if (axis === 'step') return count(value);
  return axis === 'epoch' || (value < 60 && !Number.isInteger(value)) ? short(value, 5) : shortDuration(value);
}

/** `90` -> `1 min 30 s`, `300` -> `5 min`. */
function shortDuration(seconds: number): string {
  if (seconds === 0) return '0';
  return duration(seconds).replace(/ 00 (s|min)$/, '');
}

/** A place on an axis in words. */
export function xReading(axis: ChartAxis, value: number): string {
  if (axis === 'rate') return l10n.t('Learning rate {0}', short(10 ** value, 2));
  if (isShare(axis)) return `${titles[axis]} ${percent(value)}`;
  if (axis === 'step') return l10n.t('Step {0}', count(value));
  return axis === 'epoch' ? l10n.t('Epoch {0}', value.toFixed(2)) : l10n.t('After {0}', duration(value));
}

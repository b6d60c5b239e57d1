import * as l10n from '@vscode/l10n';
import { percent, short } from '../../charts/format.ts';
import { linearTicks, logTicks } from '../../charts/ticks.ts';
import { settingWords } from '../../protocol/differingSettings.ts';
import type { Dimension } from '../../protocol/sweep.ts';
import type { ShownTrial } from '../../protocol/sweepPanel.ts';
import type { Part } from './pageState.ts';
import { valueText } from './valueText.ts';

/** What a setting, or the result, of a trial is on a line from bottom to top. */
export type Axis = {
  /** The setting; of the result, `resultKey`. */
  key: string;
  title: string;
  /** From 0 at the bottom to 1 at the top; undefined for a trial that lacks it. */
  place: (trial: ShownTrial) => number | undefined;
  ticks: readonly { readonly at: number; readonly label: string }[];
  /** Distance of two neighbouring choices; undefined where any value can be. */
  step: number | undefined;
  /** What a part of it holds, in words. */
  words: (part: Part) => string;
};

/** No setting has this name. */
export const resultKey = 'validation accuracy';

/** Ticks that an axis has room for. */
const wantedTicks = 5;

/** One axis for each setting that varies, and one for the result, in the range that the trials have it in. */
export function axesOf(dimensions: readonly Dimension[], trials: readonly ShownTrial[]): Axis[] {
  return [...dimensions.map(settingAxis), resultAxis(trials)];
}

function settingAxis(dimension: Dimension): Axis {
  return 'values' in dimension ? choicesAxis(dimension.setting, dimension.values) : rangeAxis(dimension);
}

function choicesAxis(setting: string, given: readonly unknown[]): Axis {
  // Numbers by their size; other choices as the space has them.
  const values = given.every((value) => typeof value === 'number') ? [...given].sort((a, b) => a - b) : given;
  const texts = values.map(valueText);
  const at = (index: number) => (values.length === 1 ? 0.5 : index / (values.length - 1));
  const places = new Map(values.map((value, index) => [JSON.stringify(value), at(index)]));
  return {
    key: setting,
    title: settingWords(setting),
    place: ({ settings }) => places.get(JSON.stringify(settings[setting])),
    ticks: texts.map((label, index) => ({ at: at(index), label })),
    step: values.length > 1 ? 1 / (values.length - 1) : 1,
    words: (part) => texts.filter((_, index) => isIn(at(index), part)).join(', '),
  };
}

function rangeAxis({ setting, low, high, isLog, isWhole }: Extract<Dimension, { low: number }>): Axis {
  const scaled = (value: number) => (isLog ? Math.log(value) : value);
  const [from, to] = [scaled(low), scaled(high)];
  const shareOf = (value: number) => (scaled(value) - from) / (to - from);
  const valueAt = (share: number) => (isLog ? Math.exp(from + share * (to - from)) : from + share * (to - from));
  const range = { min: low, max: high };
  const ticks = isLog ? logTicks(range) : linearTicks(range, wantedTicks, isWhole ? 1 : 0);
  return {
    key: setting,
    title: settingWords(setting),
    place: ({ settings }) => {
      const value = settings[setting];
      // A dropout of 0, where there is nothing to drop, may lie below the range.
      return typeof value === 'number' ? Math.max(0, shareOf(value)) : undefined;
    },
    ticks: ticks.map((value) => ({ at: shareOf(value), label: short(value) })),
    step: undefined,
    words: (part) => l10n.t('{0} to {1}', short(valueAt(part.low), 3), short(valueAt(part.high), 3)),
  };
}

function resultAxis(trials: readonly ShownTrial[]): Axis {
  const accuracies = trials.flatMap(({ accuracy }) => accuracy ?? []);
  const [low, high] = [Math.min(...accuracies), Math.max(...accuracies)];
  // Of one result, or equal ones, the axis still has a length.
  const [min, max] = accuracies.length === 0 ? [0, 1] : low === high ? [low - 0.01, high + 0.01] : [low, high];
  const shareOf = (accuracy: number) => (accuracy - min) / (max - min);
  const digits = max - min < 0.02 ? 2 : 1;
  return {
    key: resultKey,
    title: l10n.t('validation accuracy'),
    place: ({ accuracy }) => (accuracy === undefined ? undefined : shareOf(accuracy)),
    ticks: linearTicks({ min, max }, wantedTicks).map((value) => ({
      at: shareOf(value),
      label: percent(value, max - min < 0.05 ? digits : 0),
    })),
    step: undefined,
    words: (part) =>
      l10n.t(
        '{0} to {1}',
        percent(min + part.low * (max - min), digits),
        percent(min + part.high * (max - min), digits),
      ),
  };
}

/** The ends of a part are in it, whatever rounding did to them. */
const tolerance = 1e-6;

function isIn(at: number, { low, high }: Part): boolean {
  return at >= low - tolerance && at <= high + tolerance;
}

/** The trials that lie in the parts of the axes that filter. */
export function filtered(
  trials: readonly ShownTrial[],
  axes: readonly Axis[],
  filters: Readonly<Record<string, Part>>,
): ShownTrial[] {
  const active = axes.flatMap((axis) => {
    const part = filters[axis.key];
    return part ? [{ axis, part }] : [];
  });
  return trials.filter((trial) =>
    active.every(({ axis, part }) => {
      const at = axis.place(trial);
      return at !== undefined && isIn(at, part);
    }),
  );
}

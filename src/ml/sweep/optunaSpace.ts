import type { Dimension } from '../../protocol/sweep.ts';
import { type Drawn, keptValue } from './drawTrials.ts';

/** A distribution as Optuna's JSON writes it (`optuna.distributions`). */
export interface Distribution {
  readonly name: 'FloatDistribution' | 'IntDistribution' | 'CategoricalDistribution';
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The search space of `optuna ask`. The values of a list, which may be lists and objects, are told as their JSON. */
export function distributionsOf(dimensions: readonly Dimension[]): Readonly<Record<string, Distribution>> {
  return Object.fromEntries(dimensions.map((dimension) => [dimension.setting, distributionOf(dimension)]));
}

function distributionOf(dimension: Dimension): Distribution {
  if ('values' in dimension) {
    const choices = dimension.values.map((value) => JSON.stringify(value));
    return { name: 'CategoricalDistribution', attributes: { choices } };
  }
  const { low, high, isLog, isWhole } = dimension;
  return isWhole
    ? { name: 'IntDistribution', attributes: { low, high, log: isLog, step: 1 } }
    : { name: 'FloatDistribution', attributes: { low, high, log: isLog, step: null } };
}

/** The settings that parameters of a trial of Optuna's mean; undefined where they are not of this space. */
export function settingsOf(
  dimensions: readonly Dimension[],
  params: Readonly<Record<string, unknown>>,
): Drawn | undefined {
  const settings: Record<string, unknown> = {};
  for (const dimension of dimensions) {
    const given = params[dimension.setting];
    if ('values' in dimension) {
      const place = dimension.values.findIndex((value) => JSON.stringify(value) === given);
      if (place < 0) return undefined;
      settings[dimension.setting] = dimension.values[place];
    } else if (typeof given === 'number') settings[dimension.setting] = keptValue(dimension, given);
    else return undefined;
  }
  return settings;
}

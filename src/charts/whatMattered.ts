import type { Dimension } from '../protocol/sweep.ts';
import type { TrialStanding } from '../protocol/sweepStandings.ts';
import { determination, growForest } from './regressionForest.ts';

/** How much a setting mattered: by how much R² falls where its values are shuffled between the trials. */
export interface SettingImportance {
  readonly setting: string;
  readonly importance: number;
}

/** What the trials of a sweep say of its settings. */
export type WhatMattered = {
  /** Trials with a score, of which all else is. */
  readonly trials: number;
  /** Epochs after which they were scored; undefined where there is none. */
  readonly epochs?: number;
} & (
  | { readonly kind: 'too few'; readonly needed: number }
  /** A forest predicts trials that it did not see no better than their mean does. */
  | { readonly kind: 'unexplained' }
  | {
      readonly kind: 'found';
      /** R² of trials that the trees did not see. */
      readonly explained: number;
      /** Most important first. */
      readonly settings: readonly SettingImportance[];
    }
);

/** Fewest trials for one setting and for each further one: fewer would tell of chance. */
const fewestTrials = 12;
const trialsPerSetting = 4;
/** Of more trials so many are drawn: others would add time, and hardly change the figures. */
const mostTrials = 300;
const trees = 100;
const repeats = 20;

/** Trials that have to be scored before anything is said of so many settings. */
export function trialsNeeded(settings: number): number {
  return Math.max(fewestTrials, trialsPerSetting * settings);
}

/**
 * How much each setting mattered for the validation accuracy, by permutation (Breiman 2001, as scikit-learn's
 * `permutation_importance` measures it): a random forest learns to predict the accuracy of the trials from their settings;
 * a setting's importance is the mean fall of R² where its values are shuffled. Trials are compared by their scores after
 * the first rung, which all have, so that those that trained longer do not count as better for that. A choice counts by its
 * number, or by its place in the list. The same trials give the same figures.
 */
export function whatMattered(standings: readonly TrialStanding[], dimensions: readonly Dimension[]): WhatMattered {
  const random = createRandom();
  const rows = standings
    .flatMap(({ trial, settings, first }) => {
      const numbers = dimensions.map((dimension) => numberOf(dimension, settings[dimension.setting]));
      return first && numbers.every(Number.isFinite) ? [{ trial, numbers, first }] : [];
    })
    .sort((a, b) => a.trial - b.trial);
  const scored = rows.length > mostTrials ? shuffle(rows, random).slice(0, mostTrials) : rows;
  const of = {
    trials: scored.length,
    ...(scored.length === 0 ? {} : { epochs: Math.max(...scored.map(({ first }) => first.epochs)) }),
  };
  const needed = trialsNeeded(dimensions.length);
  if (scored.length < needed) return { ...of, kind: 'too few', needed };
  const columns = dimensions.map((_, place) => Float64Array.from(scored, ({ numbers }) => numbers[place] ?? 0));
  const targets = Float64Array.from(scored, ({ first }) => first.accuracy);
  const forest = growForest({ columns, targets }, trees, random);
  const { outOfBagScore: explained } = forest;
  if (explained === undefined || explained <= 0) return { ...of, kind: 'unexplained' };
  const settings = permutationImportance(forest.predict, columns, targets, random).map((importance, place) => ({
    setting: dimensions[place]?.setting ?? '',
    importance,
  }));
  return { ...of, kind: 'found', explained, settings: settings.sort((a, b) => b.importance - a.importance) };
}

/** The mean fall of R² where a column is shuffled, for each column. */
export function permutationImportance(
  predict: (columns: readonly Float64Array[]) => Float64Array,
  columns: readonly Float64Array[],
  targets: Float64Array,
  random: () => number,
): number[] {
  const whole = determination(targets, predict(columns)) ?? 0;
  return columns.map((column, place) => {
    let fall = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const shuffled = Float64Array.from(shuffle(column, random));
      const changed = columns.map((other, index) => (index === place ? shuffled : other));
      fall += whole - (determination(targets, predict(changed)) ?? 0);
    }
    return fall / repeats;
  });
}

/** Where a value lies on the axis of its setting: a number by itself, another choice by its place in the list. */
export function numberOf(dimension: Dimension, value: unknown): number {
  if ('values' in dimension && !dimension.values.every((choice) => typeof choice === 'number')) {
    const key = JSON.stringify(value);
    const place = dimension.values.findIndex((choice) => JSON.stringify(choice) === key);
    return place < 0 ? NaN : place;
  }
  return typeof value === 'number' ? value : NaN;
}

/** In random order (Fisher-Yates). */
function shuffle<Value>(values: Iterable<Value>, random: () => number): Value[] {
  const shuffled = [...values];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [shuffled[last], shuffled[other]] as [Value, Value];
    [shuffled[last], shuffled[other]] = [b, a];
  }
  return shuffled;
}

/** Uniform numbers in [0, 1), the same each time (xorshift32, Marsaglia 2003). */
export function createRandom(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

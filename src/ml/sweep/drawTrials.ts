import { usageError } from '../../protocol/errors.ts';
import { type Dimension, mostTrials, type Range, type SweepSpace } from '../../protocol/sweep.ts';
import { createRandom } from '../graph/random.ts';
import { mostSobolDimensions, sobolPoint } from './sobol.ts';

/** Values of the settings that differ between trials. */
export type Drawn = Readonly<Record<string, unknown>>;

/** Draws for each wanted trial before a space of few combinations is taken as drawn out. */
const triesForEach = 50;

/**
 * The settings of the trials of a space, as `meant` says that they are to be understood, the same for the same space. What is
 * there already is left out, so that a space of fewer trials that differ gives fewer. Throws a usage error for a grid of too
 * many.
 */
export function drawTrials(space: SweepSpace, meant: (drawn: Drawn) => Drawn = (drawn) => drawn): Drawn[] {
  const { dimensions, trials = Infinity, sampler } = space;
  const all = combinationsOf(space);
  const wanted = Math.min(all, trials);
  if (sampler === 'grid' && wanted > mostTrials)
    throw usageError(`The grid has ${all} trials; set "trials" to at most ${mostTrials}.`);
  const valuesOf = sampler === 'grid' ? (index: number) => gridPlaces(dimensions, index) : drawnValues(space);
  const tries = sampler === 'grid' ? all : wanted * triesForEach;
  const found = new Map<string, Drawn>();
  for (let index = 0; found.size < wanted && index < tries; index++) {
    const trial = meant(drawnOf(dimensions, valuesOf(index)));
    const key = JSON.stringify(trial);
    if (!found.has(key)) found.set(key, trial);
  }
  return [...found.values()];
}

function drawnValues(space: SweepSpace): (index: number) => unknown[] {
  const pointOf = space.sampler === 'sobol' ? sobolDraws(space) : randomDraws(space);
  return (index) => pointOf(index).map((share, place) => placeOf(space.dimensions[place], share));
}

/** How many trials a space can have that differ. */
export function combinationsOf({ dimensions }: Pick<SweepSpace, 'dimensions'>): number {
  return dimensions.reduce(
    (product, dimension) => product * ('values' in dimension ? dimension.values.length : Infinity),
    1,
  );
}

function randomDraws({ dimensions, seed }: SweepSpace): (index: number) => number[] {
  return (index) => {
    const random = createRandom(seed, 'trial', index);
    return dimensions.map(() => random.next());
  };
}

function sobolDraws({ dimensions, seed }: SweepSpace): (index: number) => number[] {
  if (dimensions.length > mostSobolDimensions)
    throw usageError(`The sampler sobol takes at most ${mostSobolDimensions} settings with choices; use random.`);
  const random = createRandom(seed, 'sobol');
  const shifts = dimensions.map(() => random.integer(2 ** 32));
  return (index) => sobolPoint(index, shifts);
}

/** The first setting changes slowest. */
function gridPlaces(dimensions: readonly Dimension[], index: number): unknown[] {
  const places: unknown[] = [];
  let rest = index;
  for (const dimension of [...dimensions].reverse()) {
    const values = 'values' in dimension ? dimension.values : [];
    places.unshift(values[rest % values.length]);
    rest = Math.floor(rest / values.length);
  }
  return places;
}

/** The value at a share in `[0, 1)` of what a setting may be. */
function placeOf(dimension: Dimension | undefined, share: number): unknown {
  if (!dimension) return undefined;
  if ('values' in dimension) return dimension.values[Math.floor(share * dimension.values.length)];
  const { low, high, isLog, isWhole } = dimension;
  // A whole number has as much room as any other of the range.
  const [from, to] = isWhole && !isLog ? [low - 0.5, high + 0.5] : [low, high];
  const value = isLog ? Math.exp(Math.log(from) + share * (Math.log(to) - Math.log(from))) : from + share * (to - from);
  return keptValue(dimension, value);
}

/** A value of a range as a trial gets it. */
export function keptValue({ low, high, isWhole }: Range, value: number): number {
  return Math.min(high, Math.max(low, isWhole ? Math.round(value) : rounded(value)));
}

/** Six digits are enough for a setting, and can be read. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

function drawnOf(dimensions: readonly Dimension[], values: readonly unknown[]): Drawn {
  return Object.fromEntries(dimensions.map(({ setting }, place) => [setting, values[place]]));
}

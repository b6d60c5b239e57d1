import type { Halving, Sampler } from '../../protocol/sweep.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { configFrom, type MachineSettings, type TrainingChoices } from './trainingChoices.ts';

/** What a setting may be in a space, as its file has it. */
export type Variation = readonly unknown[] | { readonly range: [number, number] } | { readonly log: [number, number] };

/** A setting, and between what it is proposed to vary. */
export interface Proposal {
  readonly setting: keyof GivenConfig;
  readonly variation: Variation;
}

/** What *New Sweep* asks for besides the settings of a training. */
export interface SweepChoices {
  readonly varied: readonly Proposal[];
  readonly sampler: Sampler;
  /** Not for a grid, which tries all. */
  readonly trials: number;
  readonly halves: boolean;
  readonly parallel: number;
  /** Options of sbatch, where the trials are jobs of Slurm's. */
  readonly sbatch?: readonly string[] | undefined;
}

/** Whether trials begin from the recipe `quick`: that of pretrained networks for which nobody chose another one. */
export function beginsQuick({ recipe, method }: TrainingChoices): boolean {
  return recipe === 'report' && method !== 'scratch';
}

/** The settings that do not vary, and around which the others do. */
export function baseOf(training: TrainingChoices, settings: MachineSettings): GivenConfig {
  return configFrom(beginsQuick(training) ? { ...training, recipe: 'quick' } : training, settings);
}

/** The learning rate around which the rates lie if it is chosen by the run. */
const usualRate = 0.001;
const usualBatch = 32;
const mostBatch = 4096;

/** The settings that may be worth varying for a training, the most usual first, and between what. */
export function proposalsFor({ learningRate, batchSize, hidden, method }: GivenConfig): Proposal[] {
  const rate = learningRate === 'auto' ? usualRate : learningRate;
  const batch = batchSize === 'auto' ? usualBatch : batchSize;
  const batches = [Math.max(1, Math.floor(batch / 2)), batch, Math.min(mostBatch, batch * 2)];
  const heads = [[], [512], [1024], hidden];
  const trainsAll = method === 'full' || method === 'scratch';
  return [
    { setting: 'learningRate', variation: { log: [digits(rate / 10), Math.min(1000, digits(rate * 10))] } },
    { setting: 'batchSize', variation: [...new Set(batches)] },
    { setting: 'hidden', variation: distinct(heads) },
    { setting: 'dropout', variation: { range: [0, 0.6] } },
    { setting: 'weightDecay', variation: { log: [0.00001, 0.1] } },
    { setting: 'labelSmoothing', variation: { range: [0, 0.2] } },
    { setting: 'optimizer', variation: ['adam', 'adamw', 'sgd'] },
    { setting: 'schedule', variation: ['constant', 'cosine'] },
    ...(trainsAll ? [{ setting: 'augment', variation: ['report', 'crop', 'trivial'] } as const] : []),
  ];
}

/**
 * The content of a space: the settings of a training with what varies in the place of theirs. A grid has three values of
 * each range. With halving the best third of the trials goes on, twice where there are epochs enough.
 */
export function spaceOf(
  config: Readonly<Record<string, unknown>>,
  epochs: number,
  { varied, sampler, trials, halves }: SweepChoices,
): Record<string, unknown> {
  const isGrid = sampler === 'grid';
  const variations = varied.map(({ setting, variation }) => [setting, isGrid ? listOf(variation) : variation] as const);
  return {
    ...config,
    ...Object.fromEntries(variations),
    ...(isGrid ? {} : { trials }),
    sampler,
    ...(halves ? { halving: halvingOf(epochs) } : {}),
  };
}

/** Trials of a grid over what varies. */
export function gridSize(varied: readonly Proposal[]): number {
  return varied.reduce((product, { variation }) => product * listOf(variation).length, 1);
}

/** Fewest epochs that can be halved. */
export const fewestToHalve = 3;

function halvingOf(epochs: number): Halving {
  // The second rung is then never just before the end.
  return { first: Math.ceil(epochs / 9), factor: 3 };
}

function listOf(variation: Variation): readonly unknown[] {
  if ('range' in variation) {
    const [low, high] = variation.range;
    return [low, digits((low + high) / 2), high];
  }
  if ('log' in variation) {
    const [low, high] = variation.log;
    return [low, digits(Math.sqrt(low * high)), high];
  }
  return variation;
}

function distinct(values: readonly unknown[]): unknown[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

/** A number that can be read. */
function digits(value: number): number {
  return Number(value.toPrecision(3));
}

import * as z from 'zod';
import { between, count, list, loss, name, positive, sentence, text, whole } from './bounded.ts';
import { usageError } from './errors.ts';
import { givenConfigSchema } from './trainingConfig.ts';

export const sweepVersion = 1;

/** How the settings of the trials are drawn, all of them before the first begins. */
export const samplers = ['grid', 'random', 'sobol'] as const;
export type Sampler = (typeof samplers)[number];

/** Optuna’s samplers that suit a space: they choose the settings of a trial by how those before it did. */
const optunaSamplers = ['TPESampler', 'GPSampler', 'CmaEsSampler', 'NSGAIISampler', 'QMCSampler'] as const;
const optunaSamplerSchema = z.strictObject({
  optuna: z.enum(optunaSamplers, `expected one of ${optunaSamplers.join(', ')}`),
  /** Arguments of the sampler’s constructor in Python. */
  options: z.record(text(100, 1), z.json()).optional(),
});
export type OptunaSampler = z.infer<typeof optunaSamplerSchema>;

/** Names of the files inside a sweep's folder. */
export const sweepFiles = {
  record: 'sweep.json',
  trials: 'trials.jsonl',
  lock: 'sweep.lock',
  /** Optuna’s database, where its samplers choose. */
  optuna: 'optuna.db',
  /** What `fivecrop sweep stop` asks for. */
  stop: 'stop',
  /** What frozen layers made of the images, shared by the trials; it goes when the sweep ends. */
  features: 'features',
} as const;

/** Most trials of a sweep, and most choices of one setting. */
export const mostTrials = 10_000;
const mostChoices = 1000;

/** Trials that are behind end early: after `first` epochs, then after `factor` times as many, only the best part goes on. */
const halvingSchema = z.strictObject({ first: whole(1, 1_000_000).default(1), factor: whole(2, 100).default(3) });
export type Halving = z.infer<typeof halvingSchema>;

const ownSettings = {
  trials: whole(1, mostTrials).optional().describe('Number of trials. Of a grid, all if not set.'),
  sampler: z
    .union([z.enum(samplers), optunaSamplerSchema], {
      error: `expected grid, random, sobol, or { "optuna": NAME } with one of ${optunaSamplers.join(', ')}`,
    })
    .default('random')
    .describe(
      'How settings are chosen: `grid` tries every combination, `sobol` spreads more evenly than `random`, and `{ "optuna": "TPESampler" }` learns from the trials before, if Optuna is installed.',
    ),
  halving: halvingSchema
    .optional()
    .describe(
      'Ends trials early that fall behind: after `first` epochs, and each time after `factor` times as many, only the best 1/`factor` go on.',
    ),
};
/** What a file of a space says besides the settings of training. */
export const sweepOwnSchema = z.object(ownSettings);

/** Whether the content of a `.fivecrop.json` file is meant as a space: it says what only a space has. */
export function isSweepSpace(content: unknown): boolean {
  return typeof content === 'object' && content !== null && Object.keys(ownSettings).some((own) => own in content);
}

/** A setting that takes one of several values. */
export interface Choices {
  readonly setting: string;
  readonly values: readonly unknown[];
}

/** A setting that takes any value from `low` to `high`. */
export interface Range {
  readonly setting: string;
  readonly low: number;
  readonly high: number;
  /** Drawn evenly by its logarithm. */
  readonly isLog: boolean;
  /** Rounded to whole numbers. */
  readonly isWhole: boolean;
}

export type Dimension = Choices | Range;

/** The settings that a sweep tries. */
export interface SweepSpace {
  readonly fixed: Readonly<Record<string, unknown>>;
  readonly dimensions: readonly Dimension[];
  readonly sampler: Sampler | OptunaSampler;
  /** Of a grid, all if it does not say. */
  readonly trials?: number;
  readonly halving?: Halving;
  /** Seed of the sampling; a single `seed` is that of every trial too. */
  readonly seed: number;
}

const limits = z.tuple([between(-1e9, 1e9), between(-1e9, 1e9)]);
const rangeSchema = z.union([
  z.strictObject({ range: limits }).transform(({ range }) => ({ limits: range, isLog: false })),
  z
    .strictObject({ log: z.tuple([positive(1e9), positive(1e9)]) })
    .transform(({ log }) => ({ limits: log, isLog: true })),
]);

/**
 * The space that a `.fivecrop.json` file with choices means: a setting's own value is fixed, a list of values is a choice,
 * `{ "range": [low, high] }` and `{ "log": [low, high] }` are ranges. Throws a usage error that names the setting.
 */
export function parseSweepSpace(content: unknown): SweepSpace {
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw usageError('The space is not an object of settings, as a .fivecrop.json file has them.');
  const own = sweepOwnSchema.safeParse(content);
  if (!own.success) {
    const [issue] = own.error.issues;
    throw usageError(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is wrong'}.`);
  }
  const fixed: Record<string, unknown> = {};
  const dimensions: Dimension[] = [];
  for (const [setting, value] of Object.entries(content)) {
    if (setting in ownSettings) continue;
    const dimension = dimensionOf(setting, value);
    if (dimension) dimensions.push(dimension);
    else fixed[setting] = value;
  }
  if (dimensions.length === 0)
    throw usageError('The space has no choices: give a setting a list of values, or { "log": [low, high] }.');
  const { trials, sampler, halving } = own.data;
  const range = dimensions.find((dimension) => 'low' in dimension);
  if (sampler === 'grid' && range)
    throw usageError(`${range.setting}: a grid takes lists of values, not ranges; use the sampler random or sobol.`);
  if (sampler !== 'grid' && trials === undefined)
    throw usageError(
      `The sampler ${typeof sampler === 'string' ? sampler : sampler.optuna} needs "trials", the number of runs.`,
    );
  return {
    ...{ fixed, dimensions, sampler, seed: typeof fixed['seed'] === 'number' ? fixed['seed'] : 0 },
    ...(trials === undefined ? {} : { trials }),
    ...(halving === undefined ? {} : { halving }),
  };
}

/** What a setting may be; undefined where it has a value of its own. */
function dimensionOf(setting: string, value: unknown): Dimension | undefined {
  const schema: z.ZodType | undefined = (givenConfigSchema.shape as Readonly<Record<string, z.ZodType>>)[setting];
  if (!schema) throw usageError(`${setting}: not a setting of training.`);
  const problemOf = (choice: unknown) => schema.safeParse(choice).error?.issues[0]?.message;
  const problem = problemOf(value);
  if (problem === undefined) return undefined;
  if (Array.isArray(value)) return choicesOf(setting, value, problemOf);
  const range = rangeSchema.safeParse(value);
  if (!range.success) throw usageError(`${setting}: ${problem}.`);
  const { limits: ends, isLog } = range.data;
  const [low, high] = ends;
  if (low >= high) throw usageError(`${setting}: the range ends at ${high}, which is not above ${low}.`);
  const isWhole = Number.isInteger(low) && problemOf(low + 0.5) !== undefined && problemOf(low) === undefined;
  for (const end of ends) {
    const wrong = problemOf(end);
    if (wrong !== undefined) throw usageError(`${setting}: ${wrong}.`);
  }
  return { setting, low, high, isLog, isWhole };
}

function choicesOf(setting: string, values: unknown[], problemOf: (choice: unknown) => string | undefined): Choices {
  if (values.length === 0) throw usageError(`${setting}: the list has no values.`);
  if (values.length > mostChoices) throw usageError(`${setting}: the list has more than ${mostChoices} values.`);
  for (const value of values) {
    const problem = problemOf(value);
    if (problem !== undefined) throw usageError(`${setting}, ${JSON.stringify(value)}: ${problem}.`);
  }
  const distinct = new Set(values.map((value) => JSON.stringify(value)));
  if (distinct.size < values.length) throw usageError(`${setting}: one of the values stands in the list twice.`);
  return { setting, values };
}

const trial = whole(1, mostTrials);
/** A step of halving; 0 without it. */
const rung = whole(0, 100);
const time = text(100);

/**
 * Why a trial failed, where that says what to do: `passing` is a full disk, a lost machine or a killed process, after which
 * it can go on; `settings` fail again; `place` is a run of somebody else's where its own should be.
 */
export const failureCauses = ['passing', 'settings', 'place'] as const;
export type FailureCause = (typeof failureCauses)[number];

/** What happened to a trial. A job that failed is begun once more where it is tried again. */
const trialEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('begun'), trial, rung, run: name(1), time }),
  /** The best validation of the first `epochs` epochs. */
  z.object({
    ...{ event: z.literal('reached'), trial, rung, time },
    ...{ epochs: whole(0, 1_000_000), accuracy: between(0, 1), loss: loss() },
  }),
  z.object({
    ...{ event: z.literal('failed'), trial, rung, reason: sentence(), time },
    cause: z.enum(failureCauses).optional(),
  }),
]);
export type TrialEvent = z.infer<typeof trialEventSchema>;

/** A line of `trials.jsonl`: what happened to a trial, or that its run has another name. */
export const trialLineSchema = z.discriminatedUnion('event', [
  ...trialEventSchema.options,
  z.object({ event: z.literal('renamed'), trial, run: name(1), time }),
]);
export type TrialLine = z.infer<typeof trialLineSchema>;

/**
 * The events that hold: a failure after which the job was begun again does not, and a run that was renamed has its new name.
 */
export function standingEvents(lines: readonly TrialLine[]): TrialEvent[] {
  const names = new Map<number, string>();
  const begun = new Map<string, number>();
  for (const [place, line] of lines.entries()) {
    if (line.event === 'renamed') names.set(line.trial, line.run);
    if (line.event === 'begun') begun.set(`${line.trial} ${line.rung}`, place);
  }
  return lines.flatMap((line, place): TrialEvent[] => {
    if (line.event === 'renamed') return [];
    if (line.event === 'begun') return [{ ...line, run: names.get(line.trial) ?? line.run }];
    const isOver = line.event === 'failed' && (begun.get(`${line.trial} ${line.rung}`) ?? -1) > place;
    return isOver ? [] : [line];
  });
}

/**
 * The failures that may be tried again: those for passing reasons, and, with `all`, those for reasons that are not known to
 * last.
 */
export function failuresToRetry(
  events: readonly TrialEvent[],
  all: boolean,
): Extract<TrialEvent, { event: 'failed' }>[] {
  return events
    .filter((event) => event.event === 'failed')
    .filter(({ cause }) => cause === 'passing' || (all && cause === undefined));
}

/** Content of `sweep.json`: what is tried, written before the first run begins. */
export const sweepSchema = z.object({
  version: z.literal(sweepVersion),
  created: name(),
  /** The file's content, paths absolute, with the folder of images. */
  space: z.record(z.string(), z.unknown()),
  /** `--to` of where its trials train, where that is not here; it goes on there. */
  to: text(1000, 1).optional(),
  /** Settings of the trials that differ between them, in the order of their numbers: all, or those that Optuna chose so far. */
  trials: list(z.record(z.string(), z.unknown()), mostTrials),
  /** Where Optuna chooses: how many trials there are to be, and, of those it chose, their numbers there and whether it was told. */
  optuna: z
    .object({
      trials: whole(1, mostTrials),
      asked: list(z.object({ number: count(), told: z.boolean() }), mostTrials),
    })
    .optional(),
});
export type Sweep = z.infer<typeof sweepSchema>;

/** Trials of a sweep in all, those among them whose settings are not chosen yet. */
export function trialCount({ trials, optuna }: Pick<Sweep, 'trials' | 'optuna'>): number {
  return optuna?.trials ?? trials.length;
}

import { Option } from 'commander';
import { usageError, userError } from '../../protocol/errors.ts';
import { withRecipe } from '../../protocol/recipes.ts';
import { fits, interpolations } from '../../protocol/preprocessing.ts';
import {
  augmentations,
  deviceChoices,
  engineChoices,
  layouts,
  methods,
  optimizers,
  precisions,
  recipeNames,
  samplings,
  schedules,
  givenConfigSchema,
  type GivenConfig,
  type TrainingConfigInput,
} from '../../protocol/trainingConfig.ts';

/** How the text of a flag becomes the value of its setting. */
type ValueKind = 'text' | 'number' | 'number or auto' | 'sizes' | 'switch';

interface ConfigFlag {
  readonly field: Exclude<keyof GivenConfig, '$schema' | 'version' | 'data' | 'network'>;
  /** As commander takes it. */
  readonly flag: string;
  readonly kind: ValueKind;
  readonly choices?: readonly string[];
}

/** The flags of `train` that set one setting each. Their help is the setting's own description. */
const configFlags: readonly ConfigFlag[] = [
  { field: 'recipe', flag: '--recipe <name>', kind: 'text', choices: recipeNames },
  { field: 'method', flag: '--method <name>', kind: 'text', choices: methods },
  { field: 'topTensors', flag: '--top-tensors <n>', kind: 'number' },
  { field: 'loraRank', flag: '--lora-rank <n>', kind: 'number' },
  { field: 'loraAlpha', flag: '--lora-alpha <a>', kind: 'number' },
  { field: 'epochs', flag: '--epochs <n>', kind: 'number' },
  { field: 'batchSize', flag: '--batch-size <n>', kind: 'number or auto' },
  { field: 'learningRate', flag: '--lr <rate>', kind: 'number or auto' },
  { field: 'hidden', flag: '--hidden <sizes>', kind: 'sizes' },
  { field: 'dropout', flag: '--dropout <rate>', kind: 'number' },
  { field: 'dropPath', flag: '--drop-path <rate>', kind: 'number' },
  { field: 'optimizer', flag: '--optimizer <name>', kind: 'text', choices: optimizers },
  { field: 'momentum', flag: '--momentum <m>', kind: 'number' },
  { field: 'weightDecay', flag: '--weight-decay <d>', kind: 'number' },
  { field: 'schedule', flag: '--schedule <name>', kind: 'text', choices: schedules },
  { field: 'warmupSteps', flag: '--warmup-steps <n>', kind: 'number' },
  { field: 'stepEpochs', flag: '--step-epochs <n>', kind: 'number' },
  { field: 'stepFactor', flag: '--step-factor <f>', kind: 'number' },
  { field: 'layerDecay', flag: '--layer-decay <share>', kind: 'number' },
  { field: 'unfreezeEpochs', flag: '--unfreeze-epochs <n>', kind: 'number' },
  { field: 'emaDecay', flag: '--ema-decay <share>', kind: 'number' },
  { field: 'minLearningRate', flag: '--min-lr <rate>', kind: 'number' },
  { field: 'labelSmoothing', flag: '--label-smoothing <s>', kind: 'number' },
  { field: 'classWeights', flag: '--class-weights <how>', kind: 'text', choices: ['none', 'balanced'] },
  { field: 'sampling', flag: '--sampling <how>', kind: 'text', choices: samplings },
  { field: 'focalGamma', flag: '--focal-gamma <gamma>', kind: 'number' },
  { field: 'mixup', flag: '--mixup <alpha>', kind: 'number' },
  { field: 'cutmix', flag: '--cutmix <alpha>', kind: 'number' },
  { field: 'clipNorm', flag: '--clip-norm <norm>', kind: 'number' },
  { field: 'batchNorm', flag: '--batch-norm <statistics>', kind: 'text', choices: ['running', 'batch'] },
  { field: 'augment', flag: '--augment <name>', kind: 'text', choices: augmentations },
  { field: 'randOps', flag: '--rand-ops <n>', kind: 'number' },
  { field: 'randMagnitude', flag: '--rand-magnitude <n>', kind: 'number' },
  { field: 'verticalFlip', flag: '--vertical-flip', kind: 'switch' },
  { field: 'quarterTurns', flag: '--quarter-turns', kind: 'switch' },
  { field: 'erase', flag: '--erase <p>', kind: 'number' },
  { field: 'featureViews', flag: '--feature-views <n>', kind: 'number' },
  { field: 'frozenPrecision', flag: '--frozen-precision <p>', kind: 'text', choices: precisions },
  { field: 'classNames', flag: '--class-names <file>', kind: 'text' },
  { field: 'imageSize', flag: '--image-size <pixels>', kind: 'number' },
  { field: 'resize', flag: '--resize <pixels>', kind: 'number' },
  { field: 'startSize', flag: '--start-size <pixels>', kind: 'number' },
  { field: 'fit', flag: '--fit <how>', kind: 'text', choices: fits },
  { field: 'interpolation', flag: '--interpolation <filter>', kind: 'text', choices: interpolations },
  { field: 'validateEvery', flag: '--validate-every <steps>', kind: 'number' },
  { field: 'earlyStop', flag: '--early-stop <epochs>', kind: 'number' },
  { field: 'keepEpochs', flag: '--keep-epochs', kind: 'switch' },
  { field: 'tensorboard', flag: '--tensorboard', kind: 'switch' },
  { field: 'layout', flag: '--layout <name>', kind: 'text', choices: layouts },
  { field: 'validShare', flag: '--valid-share <share>', kind: 'number' },
  { field: 'testShare', flag: '--test-share <share>', kind: 'number' },
  { field: 'seed', flag: '--seed <n>', kind: 'number' },
  { field: 'engine', flag: '--engine <name>', kind: 'text', choices: engineChoices },
  { field: 'device', flag: '--device <name>', kind: 'text', choices: deviceChoices },
  { field: 'cacheMegabytes', flag: '--cache-megabytes <n>', kind: 'number' },
  { field: 'pinnedImages', flag: '--pinned-images <n>', kind: 'number' },
];

const defaults = givenConfigSchema.parse({ data: '.', network: { kind: 'architecture', name: 'densenet169' } });

/** Commander's options for every setting, with descriptions and defaults from the one schema. */
export function configOptions(): Option[] {
  return configFlags.map(({ field, flag, kind, choices }) => {
    const preset = formatDefault(defaults[field]);
    const form = kind === 'sizes' ? ' Separated by commas; none for empty.' : '';
    const values = choices ? ` One of ${choices.join(', ')}.` : form;
    const option = new Option(flag, `${descriptionOf(field)}${values}${preset}`);
    return option.argParser((text: string) => checkChoice(flag, text, choices));
  });
}

/** Description of a setting, as the schema has it, without Markdown's quotes. */
function descriptionOf(field: ConfigFlag['field']): string {
  const { description } = givenConfigSchema.shape[field];
  return (description ?? '').replaceAll('`', '');
}

function formatDefault(value: GivenConfig[ConfigFlag['field']]): string {
  if (value === undefined || value === false) return '';
  return ` [${Array.isArray(value) ? value.join(',') : String(value)}]`;
}

function checkChoice(flag: string, text: string, choices: readonly string[] | undefined): string {
  if (choices && !choices.includes(text)) {
    throw usageError(`${nameOf(flag)} ${text}: not a valid choice; use one of ${choices.join(', ')}.`);
  }
  return text;
}

function nameOf(flag: string): string {
  return flag.split(' ')[0] ?? flag;
}

/** Options as commander hands them over: by the flag's name in camel case. */
export type OptionValues = Readonly<Record<string, unknown>>;

/** The settings that the command line names; a setting without its flag is absent. Throws a usage error for no number. */
export function settingsFromFlags(options: OptionValues): Partial<TrainingConfigInput> {
  const settings: Record<string, unknown> = {};
  for (const { field, flag, kind } of configFlags) {
    const given = options[new Option(flag).attributeName()];
    if (given !== undefined) settings[field] = convert(nameOf(flag), kind, given);
  }
  return settings;
}

function convert(flag: string, kind: ValueKind, given: unknown): unknown {
  if (kind === 'switch') return given === true;
  const text = String(given);
  if (kind === 'text') return text;
  if (kind === 'number or auto') return text === 'auto' ? text : numberOf(flag, text, kind);
  if (kind === 'number') return numberOf(flag, text);
  if (text === 'none' || text === '0') return [];
  const sizes = text.split(',').map(written);
  if (!sizes.some(Number.isNaN)) return sizes;
  throw usageError(`${flag} takes numbers separated by commas, or none, not “${text}”.`);
}

/** A flag's value as a number. Throws a usage error where it is none. */
export function numberOf(flag: string, text: string, what = 'number'): number {
  const value = written(text);
  if (Number.isNaN(value)) throw usageError(`${flag} takes a ${what}, not “${text}”.`);
  return value;
}

/** A number as it is typed; NaN for any other text, the empty one too. */
function written(text: string): number {
  return text.trim() === '' ? NaN : Number(text);
}

/**
 * A whole configuration, checked. `source` names the configuration file where the settings came from one; a wrong
 * setting is then named as in the file, and by its flag otherwise.
 */
export function parseTrainingConfig(settings: unknown, source?: string): GivenConfig {
  const parsed = givenConfigSchema.safeParse(withRecipe(settings));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.map(String) ?? [];
  const flag = configFlags.find(({ field }) => field === path[0])?.flag;
  const subject = source ? `${path.join('.') || 'the file'} in ${source}` : flag ? nameOf(flag) : path.join('.');
  const problem = (issue?.message ?? 'is wrong').replace(/^Too (small|big): |^Invalid (input|option): /, '');
  const sentence = `${subject}: ${problem}.`;
  throw source ? userError(`Correct ${sentence}`) : usageError(sentence);
}

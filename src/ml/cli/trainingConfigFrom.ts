import { dirname, join, resolve } from 'node:path';
import { usageError, userError } from '../../protocol/errors.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import { pools, type GivenConfig, type TrainingConfigInput } from '../../protocol/trainingConfig.ts';
import { isWeightSet } from '../../protocol/weightSetName.ts';
import { readBoundedJson, settingsLimit } from '../../runs/boundedFile.ts';
import { runOf } from '../../runs/list.ts';
import { readRunRecord } from '../../runs/record.ts';
import { backboneOf } from '../weights/onnxBackbones.ts';
import { canonicalName } from '../networks/registry.ts';
import { topTensorsOfReport } from '../networks/trainableParameters.ts';
import { numberOf, parseTrainingConfig, settingsFromFlags, type OptionValues } from './configFlags.ts';
import { preprocessingFromFlags } from './networkFlags.ts';

type Settings = Partial<TrainingConfigInput>;
type NetworkInput = TrainingConfigInput['network'];

/** What `train` uses where nothing names a network: the report's. */
const defaultNetwork: NetworkInput = { kind: 'architecture', name: 'densenet169' };

/**
 * The configuration that a command line means: the settings of `--config` or of the run that is resumed, and what the
 * flags say instead. Paths become absolute; those in a configuration file are relative to it. Throws a usage error for flags and a user error for files.
 */
export async function trainingConfigFrom(data: string | undefined, options: OptionValues): Promise<GivenConfig> {
  const base = await baseSettings(options);
  const folder = data === undefined ? base.settings.data : resolve(data);
  if (folder === undefined) throw usageError('Name the folder of images to train on, as in: fivecrop train flowers');
  const flags = settingsFromFlags(options);
  if (flags.classNames !== undefined) flags.classNames = resolve(flags.classNames);
  if (flags.recipe !== undefined && typeof options['resume'] === 'string') {
    throw usageError('--recipe begins a run, and --resume continues with the settings of one: leave one out.');
  }
  const network = networkFrom(options, base.settings.network);
  const settings = { ...base.settings, ...flags, data: folder, network };
  const method = methodFrom(options, flags, settings);
  const merged = { ...settings, ...method };
  // Another method than the file's has no use for what the file says of its own.
  const another = merged.method !== base.settings.method;
  const needless = {
    ...(another && merged.method !== 'top' && flags.topTensors === undefined ? { topTensors: undefined } : {}),
    ...(another && merged.method !== 'lora' && flags.loraRank === undefined ? { loraRank: undefined } : {}),
    ...(another && merged.method !== 'lora' && flags.loraAlpha === undefined ? { loraAlpha: undefined } : {}),
  };
  const begins = another && merged.method === 'scratch' && typeof options['weights'] !== 'string';
  const from = begins ? { network: withoutWeights(network) } : {};
  const config = parseTrainingConfig({ ...merged, ...needless, ...from }, sourceOf(flags, base));
  if (config.method === 'top' && config.topTensors === undefined) {
    throw usageError(
      '--method top also needs --top-tensors N: how many parameter tensors train, counted from the end.',
    );
  }
  return config;
}

/** Without the weights that a file names: from scratch, nothing begins with them. */
function withoutWeights(network: NetworkInput): NetworkInput {
  return network.kind === 'architecture' && network.weights !== undefined
    ? { ...network, weights: undefined }
    : network;
}

interface Base {
  readonly settings: Settings;
  readonly file?: string;
}

/** A mistake is reported in the file's terms only where no flag can be its cause. */
function sourceOf(flags: Settings, base: Base): string | undefined {
  return Object.keys(flags).length === 0 ? base.file : undefined;
}

async function baseSettings(options: OptionValues): Promise<Base> {
  const { config, resume } = options;
  if (typeof config === 'string') return { settings: await readConfig(config), file: config };
  if (typeof resume !== 'string') return { settings: {} };
  const run = await runOf(resume);
  if (run === undefined) {
    throw userError(
      `${resume} is not in the folder of a run, so its settings are unknown: give DATA and all flags too.`,
    );
  }
  return { settings: (await readRunRecord(run)).config, file: join(run, runFiles.record) };
}

/** A `*.fivecrop.json` file, its paths made absolute. */
async function readConfig(file: string): Promise<Settings> {
  const settings = (await readBoundedJson(file, settingsLimit)) as Settings | null;
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw userError(`${file} is not a settings file: name a .fivecrop.json file.`);
  }
  return withAbsolutePaths(settings, dirname(file));
}

/** Settings of a file in a folder with its paths made absolute, by `resolve` of another system for another machine. */
export function withAbsolutePaths<Given extends Settings | Readonly<Record<string, unknown>>>(
  settings: Given,
  folder: string,
  resolveIn = resolve,
): Given {
  const absolute = (path: unknown) => (typeof path === 'string' ? resolveIn(folder, path) : path);
  const ofBackbone = (path: unknown) => (typeof path === 'string' ? backbonePath(path, folder, resolveIn) : path);
  const paths = (value: object) =>
    Object.fromEntries(
      Object.entries(value).map(([key, path]) => {
        if (key === 'weights' && typeof path === 'string') return [key, weightsPath(path, folder, resolveIn)];
        return [key, key === 'file' ? ofBackbone(path) : path];
      }),
    );
  const { data, classNames, network } = settings;
  return {
    ...settings,
    ...(data === undefined ? {} : { data: absolute(data) }),
    ...(classNames === undefined ? {} : { classNames: absolute(classNames) }),
    ...(isObject(network) ? { network: paths(network) } : {}),
    // A list of networks or of files of names, as a sweep has them.
    ...(Array.isArray(network)
      ? { network: network.map((item: unknown) => (isObject(item) ? paths(item) : item)) }
      : {}),
    ...(Array.isArray(classNames) ? { classNames: classNames.map(absolute) } : {}),
  };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function networkFrom(options: OptionValues, base: NetworkInput | undefined): NetworkInput {
  const { arch, backbone, weights, featuresOutput } = options;
  if (typeof backbone === 'string') return backboneFrom(options, backbonePath(backbone));
  if (preprocessingFromFlags(options) ?? featuresOutput ?? options['pool']) {
    throw usageError(
      '--preprocess, --mean, --std, --scale, --channels, --features-output and --pool can only be used with --backbone FILE.',
    );
  }
  const file = typeof weights === 'string' && weights !== 'none' ? weightsPath(weights) : undefined;
  if (typeof arch === 'string')
    return { kind: 'architecture', name: canonicalName(arch), ...(file ? { weights: file } : {}) };
  const network = base ?? defaultNetwork;
  if (!file) return network;
  if (network.kind === 'backbone')
    throw usageError('--weights can only be used with --arch; a backbone has its weights in its file.');
  return { ...network, weights: file };
}

/** A file of weights by its absolute path; the name of a published set as it is. */
export function weightsPath(weights: string, folder = '.', resolveIn = resolve): string {
  return isWeightSet(weights) ? weights : resolveIn(folder, weights);
}

/** An ONNX file by its absolute path; the short name of one on the hub as it is. */
export function backbonePath(file: string, folder = '.', resolveIn = resolve): string {
  return backboneOf(file) ? file : resolveIn(folder, file);
}

function backboneFrom(options: OptionValues, file: string): NetworkInput {
  const { featuresOutput } = options;
  const pool = pools.find((name) => name === options['pool']);
  const preprocessing = preprocessingFromFlags(options);
  return {
    kind: 'backbone',
    file,
    ...(preprocessing ? { preprocessing } : {}),
    ...(typeof featuresOutput === 'string' ? { featuresOutput } : {}),
    ...(pool === undefined ? {} : { pool }),
  };
}

/** The method where the report's flags, random weights or `--top-tensors` imply one. */
function methodFrom(options: OptionValues, flags: Settings, settings: Settings): Settings {
  const count = options['trainableTensors'];
  if (options['pretrained'] === false || options['weights'] === 'none') return scratch(options, flags);
  if (options['pretrained'] === true && settings.method === 'scratch') {
    throw usageError('--pretrained and --method scratch contradict each other; leave one out.');
  }
  if (typeof count === 'string') return reportMethod(numberOf('--no_of_trainable', count), flags, settings);
  return flags.topTensors !== undefined && flags.method === undefined ? { method: 'top' } : {};
}

function scratch(options: OptionValues, flags: Settings): Settings {
  const given = flags.method;
  if (
    given === 'head' ||
    given === 'top' ||
    given === 'lora' ||
    flags.topTensors !== undefined ||
    options['trainableTensors'] !== undefined
  ) {
    throw usageError(
      'Without pretrained weights everything trains: leave out --method, --top-tensors and --no_of_trainable.',
    );
  }
  return { method: 'scratch' };
}

function reportMethod(count: number, flags: Settings, settings: Settings): Settings {
  if (flags.method !== undefined || flags.topTensors !== undefined) {
    throw usageError('--no_of_trainable says the method itself: leave out --method and --top-tensors.');
  }
  if (count === 0) return { method: 'head' };
  if (settings.network?.kind !== 'architecture') {
    throw usageError('--no_of_trainable can only be used with --arch; a backbone is frozen, so only its head trains.');
  }
  try {
    const topTensors = topTensorsOfReport(settings.network.name, count, { hidden: settings.hidden ?? [1024] });
    return { method: 'top', topTensors };
  } catch (error) {
    throw usageError(error instanceof Error ? `${error.message}.` : String(error));
  }
}

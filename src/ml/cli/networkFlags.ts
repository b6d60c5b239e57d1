import { Option } from 'commander';
import { backboneNames } from '../../protocol/backboneNames.ts';
import { usageError } from '../../protocol/errors.ts';
import { fits, preprocessPresets, type Preprocessing, type PreprocessPreset } from '../../protocol/preprocessing.ts';
import { numberOf, type OptionValues } from './configFlags.ts';

/** Options that say which network is meant, for `train` and `predict`. */
export function networkOptions(): Option[] {
  return [
    new Option(
      '--arch <name>',
      'a network by its name, as fivecrop networks lists them: torchvision’s (resnet18), timm’s on the hub (timm/NAME.TAG), or ConvNetN for any depth N [densenet169]',
    ),
    new Option(
      '--weights <file>',
      'pretrained weights from a .safetensors or .pth file, or a published set by its name, such as IMAGENET1K_V2; none for random ones',
    ),
    new Option(
      '--backbone <file.onnx>',
      `an ONNX file as a frozen feature extractor, or one on the hub by its short name: ${backboneNames.join(', ')}`,
    ).conflicts(['arch', 'weights']),
  ];
}

const presetNames = Object.keys(preprocessPresets) as PreprocessPreset[];

/** Options that say what an ONNX file expects of its pixels. */
export function preprocessingOptions(): Option[] {
  return [
    new Option(
      '--preprocess <name>',
      `for --backbone, and for --weights FILE in predict, test, explain and serve: what it expects of its pixels: ${presetNames.join(', ')}`,
    ),
    new Option('--mean <values>', 'for the same: mean of each channel, after the scale, as 0.5,0.5,0.5'),
    new Option('--std <values>', 'for the same: standard deviation of each channel, after the scale'),
    new Option('--scale <factor>', 'for the same: what pixels of 0 to 255 are multiplied by, such as 1/255'),
    new Option('--channels <order>', 'for the same: rgb or bgr'),
  ];
}

/** Options for weights and ONNX files of others, for `predict`, `test`, `explain` and `serve`. */
export function foreignOptions(): Option[] {
  return [
    new Option(
      '--labels <file>',
      'for --weights FILE and --backbone: names of its classes in their order, a text or JSON list',
    ),
    new Option(
      '--fit <how>',
      'for --weights FILE and --backbone: how images become squares; squash gives up their proportions, as Keras does [crop]',
    ).choices(fits),
  ];
}

/**
 * The parts of a preprocessing that the command line gives: those of the preset, and what single flags say instead.
 * Undefined where it gives none. Throws a usage error for values that are none.
 */
export function preprocessingFromFlags(options: OptionValues): Partial<Preprocessing> | undefined {
  const { preprocess, mean, std, scale, channels } = options;
  const given: Partial<Preprocessing> = {
    ...(typeof preprocess === 'string' ? presetOf(preprocess) : {}),
    ...(typeof mean === 'string' ? { mean: triple('--mean', mean) } : {}),
    ...(typeof std === 'string' ? { std: triple('--std', std) } : {}),
    ...(typeof scale === 'string' ? { scale: factor(scale) } : {}),
    ...(typeof channels === 'string' ? { channels: channelOrder(channels) } : {}),
  };
  return Object.keys(given).length > 0 ? given : undefined;
}

function presetOf(name: string): Partial<Preprocessing> {
  const preset = presetNames.find((known) => known === name);
  if (!preset) throw usageError(`--preprocess ${name}: not a valid choice; use one of ${presetNames.join(', ')}.`);
  const { scale, mean, std, channels } = preprocessPresets[preset];
  return { scale, mean: [...mean], std: [...std], channels };
}

function triple(flag: string, text: string): number[] {
  const values = text.split(',').map((part) => numberOf(flag, part));
  const three = values.length === 1 ? [...values, ...values, ...values] : values;
  if (three.length !== 3)
    throw usageError(`${flag} takes three numbers, such as 0.5,0.5,0.5, or one for all channels.`);
  if (flag === '--std' && three.some((value) => value <= 0)) throw usageError('--std takes numbers above 0.');
  return three;
}

/** A scale is a number or a fraction such as `1/255`. */
function factor(text: string): number {
  const [above = '', below = '1', ...rest] = text.split('/');
  const value = numberOf('--scale', above) / numberOf('--scale', below);
  if (rest.length > 0 || !Number.isFinite(value) || value <= 0) {
    throw usageError(`--scale takes a number above 0 or a fraction such as 1/255, not “${text}”.`);
  }
  return value;
}

function channelOrder(text: string): 'rgb' | 'bgr' {
  if (text !== 'rgb' && text !== 'bgr') throw usageError(`--channels takes rgb or bgr, not “${text}”.`);
  return text;
}

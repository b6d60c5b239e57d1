import { Option } from 'commander';
import { usageError } from '../../protocol/errors.ts';
import { deviceChoices, engineChoices } from '../../protocol/trainingConfig.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import { choosePlacement } from '../library/choosePlacement.ts';
import type { OptionValues } from './configFlags.ts';

/** Options that say what computes, for the commands that use a network. */
export function computingOptions(): Option[] {
  return [
    new Option('--engine <name>', 'what computes').choices(engineChoices).default('auto'),
    new Option('--device <name>', 'the device to compute on').choices(deviceChoices).default('auto'),
  ];
}

/** The engine and device that the flags ask for; `say` hears of every fallback. */
export function placementFromFlags(
  options: OptionValues,
  say: (line: string) => void,
  choose?: Parameters<typeof choosePlacement>[1],
): Promise<Placement> {
  const engine = engineChoices.find((name) => name === options['engine']) ?? 'auto';
  const device = deviceChoices.find((name) => name === options['device']) ?? 'auto';
  return choosePlacement({ engine, device, log: say }, choose);
}

/** Number of crops of an image. */
export function cropsOption(preset: 1 | 5): Option {
  return new Option('--crops <n>', 'crops of each image: 5, or 1 for the center alone').default(String(preset));
}

export function cropCountFrom(options: OptionValues): 1 | 5 {
  const { crops } = options;
  if (crops !== '1' && crops !== '5') throw usageError(`--crops takes 1 or 5, not ${String(crops)}.`);
  return crops === '1' ? 1 : 5;
}

import { type Command, Option } from 'commander';
import { pools } from '../../protocol/trainingConfig.ts';
import { configOptions } from './configFlags.ts';
import { networkOptions, preprocessingOptions } from './networkFlags.ts';

/** Adds the flags that say what is trained and how, but for those of `except`; `trainingConfigFrom` reads them. */
export function addTrainingOptions(command: Command, except: readonly string[] = []): void {
  const pool = 'for --backbone: how tokens become features: the class token, the mean over the patches, or both';
  const output = 'for --backbone: the output that holds its features, if it is not found';
  const options = [
    ...[...networkOptions(), ...preprocessingOptions(), ...configOptions()],
    new Option('--pool <how>', pool).choices(pools),
    new Option('--features-output <name>', output),
    new Option('--trainable-tensors <n>', 'as --no_of_trainable of the report: 0 trains the head only'),
    new Option('--pretrained', 'start from pretrained weights, as is the default').conflicts('weights'),
    new Option('--no-pretrained', 'train everything from random weights, as --method scratch'),
    new Option('--config <file>', 'take the settings from a .fivecrop.json file; flags override them'),
  ];
  for (const option of options) if (!except.includes(option.long ?? '')) command.addOption(option);
}

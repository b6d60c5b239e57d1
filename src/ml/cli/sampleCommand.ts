import { Command } from 'commander';
import { join } from 'node:path';
import process from 'node:process';
import { sampleSettingsFile } from '../../protocol/sampleSettingsFile.ts';
import { shellWord } from '../../protocol/shellWord.ts';
import { drawSampleDataset } from '../data/drawSampleDataset.ts';
import { numberOf, type OptionValues } from './configFlags.ts';
import { createOutput } from './output.ts';

const examples = `
Example:
  fivecrop sample flowers
  fivecrop train --config flowers/sample.fivecrop.json`;

/** `fivecrop sample`: see its help text. */
export function sampleCommand(): Command {
  return new Command('sample')
    .summary('draw a small data set to try things out')
    .description('Draws a data set of flowers, five kinds with 60 images each, split for training.')
    .argument('<folder>', 'folder to write it into')
    .option('--seed <n>', 'seed of the drawings', '0')
    .addHelpText('after', examples)
    .action(async (folder: string, options: OptionValues) => {
      await drawSampleDataset(folder, numberOf('--seed', String(options['seed'])));
      const settings = shellWord(join(folder, sampleSettingsFile), process.platform);
      createOutput(false).say(
        `Drew five kinds of flowers into ${folder}; train on them with: fivecrop train --config ${settings}`,
      );
    });
}

import { Command, Option } from 'commander';
import { relative, resolve } from 'node:path';
import process from 'node:process';
import { splitNames } from '../../protocol/dataReport.ts';
import { evaluationMetrics } from '../../protocol/evaluationMetrics.ts';
import { layouts } from '../../protocol/trainingConfig.ts';
import { readClassNames } from '../data/classNames.ts';
import type { SplitShares } from '../data/stratifiedSplit.ts';
import type { Classifier } from '../inference/classifier.ts';
import { loadClassifier } from '../inference/loadClassifier.ts';
import { renameClasses } from '../inference/renameClasses.ts';
import { checkpointPath } from './checkpointPath.ts';
import { computingOptions, cropCountFrom, cropsOption, placementFromFlags } from './computingFlags.ts';
import { numberOf, type OptionValues } from './configFlags.ts';
import { evaluationLines } from './evaluationLines.ts';
import { createOutput } from './output.ts';
import { testVisibly } from './testVisibly.ts';

const examples = `
Examples:
  fivecrop test flowers --checkpoint runs/NAME
  fivecrop test flowers --checkpoint runs/NAME/checkpoints/last.safetensors --split valid --crops 5

On the data of its run a checkpoint is tested on the images that the run set aside; on any other folder on that folder’s own
test split, or on all images if it has none. The result is also kept beside the checkpoint. The names of the report’s script work too: --load_dir, --category_names,
--gpu.`;

/** `fivecrop test`: see its help text. */
export function testCommand(): Command {
  const command = new Command('test')
    .summary('test a checkpoint on images whose classes are known')
    .description('Tests a checkpoint: accuracy, top-5 accuracy, loss, and precision, recall and F1 of each class.')
    .argument('<data>', 'folder of images, as for train')
    .requiredOption('--checkpoint <file>', 'a checkpoint, or the folder of a run, whose best one is taken')
    .addOption(new Option('--split <name>', 'which images').choices(splitNames).default('test'))
    .addOption(cropsOption(1))
    .option('--class-names <file>', 'JSON file that names the class folders, in place of the names kept')
    .option('--seed <n>', 'for another folder than the run’s: tests a split of its classes, drawn by this seed [0]')
    .option('--valid-share <share>', 'for that split: share for validation [0.15]')
    .option('--test-share <share>', 'for that split: share for testing [0.15]')
    .addOption(new Option('--layout <name>', 'how the folder is read, as for train').choices(layouts))
    .addHelpText('after', examples);
  for (const option of computingOptions()) command.addOption(option);
  return command
    .option('--json', 'print the result as one object')
    .action((data: string, options: OptionValues) => testCheckpoint(data, options));
}

async function testCheckpoint(data: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const cropCount = cropCountFrom(options);
  const split = splitNames.find((name) => name === options['split']) ?? 'test';
  const checkpoint = checkpointPath(resolve(String(options['checkpoint'])));
  const placement = await placementFromFlags(options, output.say);
  const layout = layouts.find((name) => name === options['layout']);
  const loaded = await loadClassifier({ kind: 'checkpoint', file: checkpoint }, placement, { log: output.say });
  try {
    const classifier = await named(loaded, options['classNames']);
    const test = {
      checkpoint,
      data,
      split,
      cropCount,
      ...sharesFrom(options),
      ...(layout === undefined ? {} : { layout }),
    };
    const { evaluation, kept, problem } = await testVisibly(classifier, test, output);
    output.object({ ...evaluation, ...evaluationMetrics(evaluation) });
    const shown = kept === undefined ? '--json' : relative(process.cwd(), kept);
    for (const line of evaluationLines(evaluation, shown)) output.print(line);
    output.say(problem ?? `Kept in ${shown}`);
  } finally {
    await loaded.dispose();
  }
}

/** How a folder of classes is to be split, where a flag says so. */
function sharesFrom(options: OptionValues): { shares?: Partial<SplitShares> } {
  const flags = [
    ['seed', '--seed'],
    ['validShare', '--valid-share'],
    ['testShare', '--test-share'],
  ] as const;
  const given = flags.flatMap(([name, flag]) => {
    const text = options[name];
    return typeof text === 'string' ? [[name, numberOf(flag, text)] as const] : [];
  });
  return given.length === 0 ? {} : { shares: Object.fromEntries(given) };
}

async function named(classifier: Classifier, file: unknown): Promise<Classifier> {
  return typeof file === 'string' ? renameClasses(classifier, await readClassNames('.', file)) : classifier;
}

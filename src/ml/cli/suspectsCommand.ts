import { Command } from 'commander';
import { relative } from 'node:path';
import process from 'node:process';
import { usageError } from '../../protocol/errors.ts';
import { type Suspect, suspectKinds } from '../../protocol/suspect.ts';
import { findSuspects } from '../features/findSuspects.ts';
import { computingOptions } from './computingFlags.ts';
import { configOptions, numberOf, type OptionValues } from './configFlags.ts';
import { withDataFeatures } from './dataFeatures.ts';
import { networkOptions, preprocessingOptions } from './networkFlags.ts';
import { createOutput, type Output } from './output.ts';
import { formatTable } from './table.ts';

const examples = `
Examples:
  fivecrop suspects flowers --arch resnet18
  fivecrop suspects flowers --backbone mobilenet_v2_1.0_224.onnx --json > suspects.jsonl
  fivecrop suspects flowers --checkpoint runs/NAME

The network makes features of every image, once; they are kept for the next time. Labels are judged by classifiers that
were trained on the other folds of the data. Nothing is moved or deleted.`;

/** Rows of a kind that are printed. */
const shownRows = 20;
/** Flags of `train` that say how a folder is read. */
const dataFlags = ['--class-names', '--layout', '--seed'];

/** `fivecrop suspects`: see its help text. */
export function suspectsCommand(): Command {
  const command = new Command('suspects')
    .summary('find wrong labels, near-duplicates, outliers and bad images')
    .description(
      'Lists images of a data set that look wrong, the most certain first: labels that the data contradicts, near-duplicates, outliers, and images that are blurred, dark, bright, flat or long and narrow.',
    )
    .argument('<data>', 'folder of images, as for train')
    .option('--checkpoint <file>', 'a checkpoint, or the folder of a run, whose network makes the features')
    .addHelpText('after', examples);
  for (const option of [...networkOptions(), ...preprocessingOptions()]) command.addOption(option);
  command.option('--folds <n>', 'folds of the data; each is judged by the others [5]');
  for (const option of configOptions()) if (dataFlags.includes(option.long ?? '')) command.addOption(option);
  for (const option of computingOptions()) command.addOption(option);
  return command
    .option('--json', 'print one object per suspect, one per line')
    .action((data: string, options: OptionValues) => listSuspects(data, options));
}

async function listSuspects(data: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const folds = foldsFrom(options['folds']);
  const { suspects, estimatedLabelIssues } = await withDataFeatures(data, options, output, (found) => {
    const { dataset, samples, features, placement, seed, progress, signal } = found;
    progress.stop();
    return findSuspects(samples, dataset.classes, features, placement, {
      ...{ folds, seed, signal },
      onStage: output.say,
    });
  });
  for (const suspect of suspects) output.object(suspect);
  printSuspects(suspects, estimatedLabelIssues, output);
}

function foldsFrom(text: unknown): number {
  if (typeof text !== 'string') return 5;
  const folds = numberOf('--folds', text);
  if (!Number.isInteger(folds) || folds < 2 || folds > 100)
    throw usageError('--folds takes a whole number from 2 to 100.');
  return folds;
}

const titles: Record<Suspect['kind'], string> = {
  label: 'Labels that the data contradicts',
  duplicate: 'Near-duplicates',
  outlier: 'Outliers',
  quality: 'Images of poor quality',
};

function printSuspects(suspects: readonly Suspect[], estimated: number, output: Output): void {
  for (const kind of suspectKinds) {
    const own = suspects.filter((suspect) => suspect.kind === kind);
    output.print('');
    output.print(`${titles[kind]}: ${own.length}${kind === 'label' ? `, of which about ${estimated} are wrong` : ''}`);
    if (own.length === 0) continue;
    const last = { label: 'likelier', duplicate: 'twin', outlier: '', quality: 'looks' }[kind];
    const rows = own
      .slice(0, shownRows)
      .map(({ score, folder, image, likely, twin, what }) => [
        ...[score.toFixed(3), folder],
        ...(last === ''
          ? []
          : [(twin === undefined ? undefined : relative(process.cwd(), twin)) ?? what ?? likely ?? '']),
        relative(process.cwd(), image),
      ]);
    for (const line of formatTable(['score', 'class', ...(last === '' ? [] : [last]), 'image'], rows))
      output.print(line);
    if (own.length > shownRows) output.print(`and ${own.length - shownRows} more, which --json lists`);
  }
}

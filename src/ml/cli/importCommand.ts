import { Command, Option } from 'commander';
import { relative } from 'node:path';
import process from 'node:process';
import type { ImportedData } from '../../protocol/importedData.ts';
import { plural } from '../../protocol/plural.ts';
import { shellWord } from '../../protocol/shellWord.ts';
import { someOf } from '../../protocol/someOf.ts';
import { type Layout, layouts } from '../../protocol/trainingConfig.ts';
import { readClassNumbers } from '../data/classList.ts';
import { importDataset } from '../importing/importDataset.ts';
import type { OptionValues } from './configFlags.ts';
import { withInterrupt } from './interrupt.ts';
import { createOutput, type Output } from './output.ts';
import { createProgress } from './progress.ts';
import { reportLines } from './reportLines.ts';

const examples = `
Examples:
  fivecrop import flowers.zip flowers
  fivecrop import labels.csv birds --images photos
  fivecrop import annotations.json birds
  fivecrop import train.csv dogs --images train --file-column id --label-column breed

Sources:
  zip, tar, tar.gz    an archive of one of the following (tar.zst with Node 22.15 or newer)
  a folder            <class>/ or train|valid|test/<class>/, a table such as metadata.csv or labels.csv, COCO’s annotations,
                      or imagelabels.mat and setid.mat beside jpg, as the Oxford flowers are published
  CSV, JSON lines     a row per image with its file and its label, and its split if there is a column of that name
  COCO’s JSON         images whose objects are all of one category

The images are copied; the source stays as it is. The folder appears when all is in it, or not at all. What is left out is
counted and named. An archive with links, devices or paths out of its folder is refused.`;

/** `fivecrop import`: see its help text. */
export function importCommand(): Command {
  return new Command('import')
    .summary('make a data set of an archive, a table of labels, or a folder')
    .description(
      'Makes a folder of images to train on of an archive, a table of files and labels, or a folder in another layout.',
    )
    .argument('<source>', 'archive, table or folder')
    .argument('<folder>', 'new folder for the data set')
    .option('--images <folder>', 'folder that the files of a table are in, of an archive inside it [the table’s own]')
    .option(
      '--classes <file>',
      'names of the classes by number, for labels or folders that are numbers: a text or JSON list',
    )
    .option('--file-column <name>', 'column of the files, if its name is not a usual one')
    .option('--label-column <name>', 'column of the labels, if its name is not a usual one')
    .option('--split-column <name>', 'column of the splits, if its name is not a usual one')
    .addOption(
      new Option('--layout <l>', 'take the folders as splits or as classes, and no table')
        .choices(layouts)
        .default('auto'),
    )
    .option('--json', 'print what was imported and the report of the check as one object')
    .addHelpText('after', examples)
    .action((source: string, folder: string, options: OptionValues) => importVisibly(source, folder, options));
}

async function importVisibly(source: string, folder: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const progress = createProgress(true);
  const stopping = () => progress.line('Stopping; nothing of the new folder stays. Ctrl-C again quits at once.');
  const text = (name: string) => (typeof options[name] === 'string' ? options[name] : undefined);
  const classes = text('classes');
  const settings = {
    layout: layouts.find((layout): layout is Layout => layout === options['layout']) ?? 'auto',
    images: text('images'),
    classes: classes === undefined ? undefined : await readClassNumbers(classes),
    fileColumn: text('fileColumn'),
    labelColumn: text('labelColumn'),
    splitColumn: text('splitColumn'),
  };
  const imported = await withInterrupt(stopping, (signal) =>
    importDataset(source, folder, {
      ...settings,
      signal,
      onProgress: (what, done, total) => {
        const inMegabytes = what === 'Unpacking';
        const [shown, all] = inMegabytes ? [Math.round(done / 1e6), Math.round(total / 1e6)] : [done, total];
        progress.update(shown, all, inMegabytes ? 'MB, unpacking' : 'images');
      },
    }),
  ).finally(progress.stop);
  output.object(imported);
  for (const line of importedLines(imported)) output.print(line);
  sayNext(imported, output);
}

/** What `fivecrop import` prints. */
export function importedLines({ folder, images, classes, left, notes, report }: ImportedData): string[] {
  return [
    `Imported ${plural(images, 'image')} of ${plural(classes, 'class', 'classes')} into ${folder}.`,
    ...notes,
    ...left.map(({ reason, files }) => `${files.length} left out: ${reason} (${someOf(files)})`),
    '',
    ...reportLines(report),
  ];
}

function sayNext({ folder }: ImportedData, output: Output): void {
  const path = relative(process.cwd(), folder);
  const word = shellWord(path === '' || path.startsWith('..') ? folder : path, process.platform);
  output.say(`Train on it with: fivecrop train ${word}`);
}

import { Command } from 'commander';
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { parseCsv } from '../../protocol/csv.ts';
import { type DataEdit, journalFile } from '../../protocol/dataEdits.ts';
import { messageOf, usageError, userError } from '../../protocol/errors.ts';
import { plural } from '../../protocol/plural.ts';
import { readBoundedText, tableLimit } from '../../runs/boundedFile.ts';
import { createDataEditor } from '../cleaning/dataEditor.ts';
import { editSentence } from '../cleaning/editSentence.ts';
import { readJournal } from '../cleaning/journal.ts';
import { type LabellingFigures, openLabellingSession } from '../cleaning/labellingSession.ts';
import { createDecodePool } from '../data/decodePool.ts';
import { samplesOf } from '../data/digestImages.ts';
import { listFolder } from '../data/listFolder.ts';
import { type Dataset, scanDataset } from '../data/scanDataset.ts';
import { chooseEngine } from '../engine/chooseEngine.ts';
import { openFeatureModel } from '../features/featureModel.ts';
import { classifierFromFlags } from './classifierFlags.ts';
import { computingOptions, placementFromFlags } from './computingFlags.ts';
import { configOptions, numberOf, parseTrainingConfig, settingsFromFlags, type OptionValues } from './configFlags.ts';
import { imagesVisibly } from './imagesVisibly.ts';
import { networkOptions, preprocessingOptions } from './networkFlags.ts';
import { createOutput, type Output } from './output.ts';
import { formatTable } from './table.ts';

const examples = `
Examples:
  fivecrop label flowers new --arch resnet18
  fivecrop label flowers new --backbone mobilenet_v2_1.0_224.onnx --next 50 --json > next.jsonl
  fivecrop label flowers new --labels labels.csv
  echo "IMG_1.jpg,rose" | fivecrop label flowers new --labels - --arch resnet18
  fivecrop clean flowers --revert 3

Images come first whose labels would teach a classifier most: those of which it is least sure, and which are unlike each
other. A label copies the image into the folder of its class, of the training images where the data has splits; nothing is
moved or deleted. Every label is a line in ${journalFile} in the data folder, and fivecrop clean takes it back.`;

/** Flags of `train` that say how a folder is read. */
const dataFlags = ['--class-names', '--layout'];
const networkFlags = ['checkpoint', 'arch', 'backbone'];

/** A line of labels: the image, by its absolute path, and its class; an empty one skips the image. */
interface LabelLine {
  readonly image: string;
  readonly to: string;
}

/** `fivecrop label`: see its help text. */
export function labelCommand(): Command {
  const command = new Command('label')
    .summary('list the images without a class that would teach most, and give images classes')
    .description(
      'Lists images of a folder without classes, those first whose labels would teach a classifier most, with their likely classes, and labels images.',
    ) // prettier-ignore
    .argument('<data>', 'folder of images with classes, as for train; it may be empty')
    .argument('<unlabeled>', 'folder of images without classes, outside the data folder')
    .option(
      '--labels <file>',
      'label images by lines of image,class from a file, or - for standard input; an empty class skips the image',
    ) // prettier-ignore
    .option('--next <n>', 'images that are listed [20]')
    .option('--checkpoint <file>', 'a checkpoint, or the folder of a run, whose network makes the features')
    .addHelpText('after', examples);
  for (const option of [...networkOptions(), ...preprocessingOptions()]) command.addOption(option);
  for (const option of configOptions()) if (dataFlags.includes(option.long ?? '')) command.addOption(option);
  for (const option of computingOptions()) command.addOption(option);
  return command
    .option('--json', 'print one object per label, then the figures, then one object per image, one per line')
    .action((data: string, unlabelled: string, options: OptionValues) => label(data, unlabelled, options));
}

async function label(data: string, unlabelled: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const lists = networkFlags.some((flag) => options[flag] !== undefined);
  const source = lists || options['labels'] === undefined ? classifierFromFlags(options) : undefined;
  const most = nextFrom(options['next']);
  const network = { kind: 'architecture', name: 'any' };
  const config = parseTrainingConfig({ data, network, ...settingsFromFlags(options) });
  for (const folder of [data, unlabelled]) await listFolder(folder);
  if (typeof options['labels'] === 'string') {
    const lines = await readLabels(options['labels'], unlabelled);
    const { layout, classNames } = config;
    const dataset = await scanDataset(data, { validShare: 0, testShare: 0, seed: 0, layout, mayBeEmpty: true, ...(classNames === undefined ? {} : { classNames }) }); // prettier-ignore
    await apply(data, dataset, lines, output);
  }
  if (!source) return;
  const placement = await placementFromFlags(options, output.say);
  const model = await openFeatureModel(source, placement, { log: output.say });
  const pool = createDecodePool();
  try {
    const figures = await imagesVisibly(output, async ({ signal, onProgress, onNote }) => {
      const session = await openLabellingSession(data, unlabelled, model, {
        ...{ layout: config.layout, network: 'The network', pool, signal, onProgress, log: onNote, onStage: onNote },
        placement: await chooseEngine({ engine: 'auto', device: 'cpu', log: output.say }),
      }).catch(async (error: unknown) => {
        await model.dispose();
        throw error;
      });
      try {
        const { done } = await readJournal(resolve(data));
        return await session.look({ done, first: [], most }, signal);
      } finally {
        await session.dispose();
      }
    });
    if (!figures) throw userError(`The images of ${data} or ${unlabelled} changed while they were read; try again.`);
    print(figures, unlabelled, output);
  } finally {
    await pool.dispose();
  }
}

function nextFrom(value: unknown): number {
  if (typeof value !== 'string') return 20;
  const most = numberOf('--next', value);
  if (!Number.isInteger(most) || most < 1 || most > 10_000) throw usageError('--next takes a whole number from 1 to 10000.'); // prettier-ignore
  return most;
}

/** Throws a user error, with the number of the row, for one that has no image and class, or whose image is not there. */
async function readLabels(file: string, unlabelled: string): Promise<LabelLine[]> {
  const content = file === '-' ? await text(process.stdin) : await readBoundedText(file, tableLimit);
  const name = file === '-' ? 'standard input' : file;
  const rows = (() => {
    try {
      return parseCsv(content);
    } catch (error) {
      throw userError(`${name} is not CSV: ${messageOf(error)}.`, error);
    }
  })();
  const isHeader = (row: readonly string[]) => row[0] === 'image' && row[1] === 'class';
  return rows.flatMap((row, at) => {
    if (at === 0 && isHeader(row)) return [];
    const [image = '', to = ''] = row;
    if (row.length !== 2 || image === '') throw userError(`Row ${at + 1} of ${name} is not image,class.`);
    const path = [resolve(unlabelled, image), resolve(image)].find(existsSync);
    if (path === undefined) throw userError(`Row ${at + 1} of ${name} names ${image}, which is not there.`);
    return [{ image: path, to: to.trim() }];
  });
}

/** Labels images one after the other. Throws a user error for an image that is in the data already; those before are labelled. */
async function apply(data: string, dataset: Dataset, lines: readonly LabelLine[], output: Output): Promise<void> {
  const own = samplesOf(dataset).map(({ file }) => file);
  const pool = createDecodePool();
  const digests = await pool.digest([...own, ...lines.map(({ image }) => image)]).finally(() => pool.dispose());
  const known = new Map(own.map((file, at) => [digests[at] ?? NaN, file]));
  const editor = createDataEditor(data);
  let labelled = 0;
  for (const [at, { image, to }] of lines.entries()) {
    const digest = digests[own.length + at] ?? NaN;
    const there = Number.isNaN(digest) ? undefined : known.get(digest);
    if (to !== '' && there !== undefined) {
      throw userError(`${image} is in the data already, as ${there}: move that one with fivecrop clean. ${plural(labelled, 'image')} before it ${labelled === 1 ? 'is' : 'are'} labeled.`); // prettier-ignore
    }
    const edit: DataEdit = to === '' ? { kind: 'skip', images: [image] } : { kind: 'label', images: [image], to };
    await editor.edit(edit, dataset.splitBy === 'folders' ? 'splits' : 'classes');
    if (to !== '') known.set(digest, image);
    labelled += Number(to !== '');
    output.object({ edit, undone: false });
    output.print(`Done: ${editSentence(edit)}.`);
  }
  output.say(`${plural(labelled, 'image')} labeled.`);
}

function print(figures: LabellingFigures, unlabelled: string, output: Output): void {
  const { labels, open, skipped, undecodable, accuracy, next } = figures;
  output.object({ labels, open, skipped, undecodable, ...(accuracy ? { accuracy } : {}) });
  for (const each of next) output.object(each);
  const left = [`${plural(labels, 'label')}, ${plural(open, 'image')} left`];
  if (skipped > 0) left.push(`${skipped} of them skipped`);
  if (undecodable > 0) left.push(`${plural(undecodable, 'image')} that cannot be decoded`);
  output.print(`${left.join(', ')}.`);
  output.print(accuracy ? accuracySentence(accuracy) : 'There are no predictions while fewer than two classes have images.'); // prettier-ignore
  if (next.length === 0) return;
  const rows = next.map(({ image, likely: [first, second], isSkipped }) => [
    first ? `${first.folder} ${first.probability.toFixed(3)}` : '',
    second ? `${second.folder} ${second.probability.toFixed(3)}` : '',
    isSkipped ? 'skipped' : '',
    relative(resolve(unlabelled), image),
  ]);
  for (const line of formatTable(['likely', 'or', '', 'image'], rows)) output.print(line);
}

function accuracySentence({ of, images, share }: NonNullable<LabellingFigures['accuracy']>): string {
  const which = of === 'validation' ? plural(images, 'validation image') : `${plural(images, 'labeled image')}, each judged without itself`; // prettier-ignore
  return `Accuracy ${share.toFixed(4)} over ${which}.`;
}

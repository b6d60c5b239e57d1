import { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import process from 'node:process';
import { messageOf, usageError, userError } from '../../protocol/errors.ts';
import { mixedClasses } from '../../protocol/samples.ts';
import { type SampledBatch, sampleBatch } from '../training/run/sampleBatch.ts';
import { samplesPicture } from '../training/run/samplesPicture.ts';
import { numberOf, type OptionValues } from './configFlags.ts';
import { withInterrupt } from './interrupt.ts';
import { createOutput } from './output.ts';
import { formatTable } from './table.ts';
import { addTrainingOptions } from './trainingFlags.ts';
import { trainingConfigFrom } from './trainingConfigFrom.ts';

const examples = `
Examples:
  fivecrop samples flowers --out samples.png              the first batch that fivecrop train flowers would train on
  fivecrop samples flowers --augment rand --mixup 0.2 --epoch 3 --out samples.png
  fivecrop samples --config flowers.fivecrop.json --json

The images are those of the run to the bit: its order, crops, augmentation and mixing, which seed, epoch and batch
decide. Under each stand its class and its file, for mixed images both classes with their weights in the target.`;

/** `fivecrop samples`: see its help text. */
export function samplesCommand(): Command {
  const command = new Command('samples')
    .summary('show the images of a batch as training sees them')
    .description('Shows the images of a batch as training sees them, augmentation and mixing included.')
    .argument('[data]', 'folder of images, as for train')
    .addHelpText('after', examples);
  addTrainingOptions(command);
  return command
    .option('--epoch <n>', 'the epoch, from 1 on [1]')
    .option('--batch <n>', 'the batch of that epoch, from 1 on [1]')
    .option('--out <file.png>', 'write the images as a picture')
    .option('--json', 'print one object')
    .action((data: string | undefined, options: OptionValues) => showSamples(data, options));
}

async function showSamples(data: string | undefined, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const { out } = options;
  if (typeof out === 'string' && !/\.png$/iu.test(out)) throw usageError(`${out}: the picture must be named *.png.`);
  const place = { epoch: placeFrom(options, 'epoch'), batch: placeFrom(options, 'batch') };
  const config = await trainingConfigFrom(data, options);
  const stopping = () => output.say('Stopping; Ctrl-C again quits at once.');
  const sampled = await withInterrupt(stopping, (signal) => sampleBatch(config, { ...place, signal, log: output.say }));
  const { seed, epoch, batch, batches, epochs, size, mix, images } = sampled;
  output.object({
    ...{ seed, epoch: epoch + 1, epochs, batch: batch + 1, batches, size },
    ...(mix === undefined ? {} : { mix }),
    images: images.map(({ file, mixedWith, classes }) => ({
      image: file,
      ...(mixedWith === undefined ? {} : { mixedWith }),
      classes: classes.map(({ label, weight }) => ({ folder: label.folder, name: label.name, weight })),
    })),
  });
  for (const line of lines(sampled)) output.print(line);
  if (typeof out !== 'string') return;
  await writeFile(out, await samplesPicture(sampled)).catch((error: unknown) => {
    throw userError(`${out} cannot be written (${messageOf(error)}): choose another place.`, error);
  });
  output.say(`Wrote ${out}`);
}

function placeFrom(options: OptionValues, name: 'epoch' | 'batch'): number {
  const text = options[name];
  const number = typeof text === 'string' ? numberOf(`--${name}`, text) : 1;
  if (!Number.isInteger(number) || number < 1) throw usageError(`--${name} takes a whole number from 1 on.`);
  return number - 1;
}

function lines({ seed, epoch, batch, batches, epochs, size, mix, images }: SampledBatch): string[] {
  const where = `Epoch ${epoch + 1} of ${epochs}, batch ${batch + 1} of ${batches}, seed ${seed}`;
  const how = mix === undefined ? '' : `, mixed by ${mix}`;
  const rows = images.map(({ file, mixedWith, classes }) => [
    mixedClasses(classes.map(({ label, weight }) => ({ name: label.name, weight }))).join(', '),
    relative(process.cwd(), file),
    ...(mix === undefined ? [] : [mixedWith === undefined ? '' : relative(process.cwd(), mixedWith)]),
  ]);
  const heads = ['class', 'image', ...(mix === undefined ? [] : ['mixed with'])];
  return [`${where}: ${images.length} images of ${size} pixels${how}`, ...formatTable(heads, rows)];
}

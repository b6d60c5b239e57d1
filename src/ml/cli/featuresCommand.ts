import { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import sharp from 'sharp';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { messageOf, usageError, userError } from '../../protocol/errors.ts';
import { visible } from '../../protocol/visibleText.ts';
import { pathIn } from '../data/pathIn.ts';
import { keptMap } from '../features/keptMap.ts';
import { mapPicture, type MappedImage } from '../results/mapPicture.ts';
import { requireFinite } from '../features/requireFinite.ts';
import { computingOptions } from './computingFlags.ts';
import { configOptions, type OptionValues } from './configFlags.ts';
import { withDataFeatures } from './dataFeatures.ts';
import { networkOptions, preprocessingOptions } from './networkFlags.ts';
import { createOutput } from './output.ts';

const examples = `
Examples:
  fivecrop features flowers --arch resnet18 --map flowers.svg
  fivecrop features flowers --checkpoint runs/NAME --map flowers.png
  fivecrop features flowers --backbone dinov2-small --map flowers.json

The network makes features of every image, once; they are saved for the next time. UMAP (McInnes, Healy and Melville 2018)
lays them out in the plane: what looks alike to the network lies together. --seed chooses among maps that are as good.`;

/** Flags of `train` that say how a folder is read, and the seed. */
const dataFlags = ['--class-names', '--layout', '--seed'];
const formats = ['json', 'svg', 'png'] as const;

/** `fivecrop features`: see its help text. */
export function featuresCommand(): Command {
  const command = new Command('features')
    .summary('draw a map of the images by what a network sees')
    .description('Draws a map of the images of a folder by the features that a network makes of them.')
    .argument('<data>', 'folder of images, as for train')
    .requiredOption('--map <file>', 'the map, as .json, .svg or .png')
    .option('--checkpoint <file>', 'a checkpoint, or a run: the features ahead of its head');
  for (const option of [...networkOptions(), ...preprocessingOptions(), ...computingOptions()]) {
    command.addOption(option);
  }
  for (const option of configOptions()) if (dataFlags.includes(option.long ?? '')) command.addOption(option);
  return command
    .option('--json', 'print one object, with the place of each image')
    .addHelpText('after', examples)
    .action((data: string, options: OptionValues) => features(data, options));
}

async function features(data: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const file = String(options['map']);
  const format = formats.find((each) => file.toLowerCase().endsWith(`.${each}`));
  if (format === undefined) throw usageError(`${file}: the map must be named *.json, *.svg or *.png.`);
  const { classes, samples, places, seed } = await withDataFeatures(data, options, output, async (found) => {
    const { dataset, samples, features, model, placement, seed, progress, signal } = found;
    requireFinite(features, samples, 'the network');
    const places = await keptMap(features, placement, {
      ...{ model, folder: resolve(data), seed, signal, log: progress.line },
      onProgress: (done, total) => progress.update(done, total, 'epochs of the map'),
    });
    return { classes: dataset.classes, samples, places, seed };
  });
  const root = resolve(data);
  const images = samples.flatMap(({ file: image, classIndex }, row) => {
    const [x = Number.NaN, y = Number.NaN] = places.subarray(2 * row, 2 * row + 2);
    return Number.isNaN(x) ? [] : [{ image: pathIn(root, image), classIndex, x, y }];
  });
  const map = mapObject(root, seed, classes, images);
  await writeMap(file, format, map, classes, images);
  output.object(map);
  output.say(`Wrote a map of ${images.length} images to ${file}`);
}

type PlacedImage = Omit<MappedImage, 'name'> & { readonly image: string };

function mapObject(data: string, seed: number, classes: readonly ClassLabel[], images: readonly PlacedImage[]) {
  return {
    ...{ data, seed },
    images: images.map(({ image, classIndex, x, y }) => ({ image, folder: classes[classIndex]?.folder ?? '', x, y })),
  };
}

async function writeMap(
  file: string,
  format: (typeof formats)[number],
  map: ReturnType<typeof mapObject>,
  classes: readonly ClassLabel[],
  images: readonly PlacedImage[],
): Promise<void> {
  const named = images.map(({ image, ...place }) => ({
    ...place,
    name: visible(`${classes[place.classIndex]?.name ?? ''}: ${image}`),
  }));
  const names = classes.map(({ name }) => visible(name));
  const picture = () => mapPicture(named, names, visible(`${basename(map.data)}, ${images.length} images`));
  const content = {
    json: () => `${JSON.stringify(map, undefined, 1)}\n`,
    svg: picture,
    png: () => sharp(Buffer.from(picture())).png().toBuffer(),
  }[format];
  await writeFile(file, await content()).catch((error: unknown) => {
    throw userError(`${file} cannot be written (${messageOf(error)}): choose another place.`, error);
  });
}

import { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { messageOf, usageError, userError } from '../../protocol/errors.ts';
import { explainImage } from '../inference/explainImage.ts';
import { explanationPicture } from '../inference/explanationPicture.ts';
import { classifierFromFlags } from './classifierFlags.ts';
import { computingOptions, cropCountFrom, cropsOption, placementFromFlags } from './computingFlags.ts';
import { numberOf, type OptionValues } from './configFlags.ts';
import { foreignOptions, networkOptions, preprocessingOptions } from './networkFlags.ts';
import { createOutput } from './output.ts';
import { formatTable } from './table.ts';

const examples = `
Examples:
  fivecrop explain rose.jpg --checkpoint runs/NAME --out rose-explained.png
  fivecrop explain dog.jpg --arch resnet101 --class "golden retriever" --crops 1 --json

Convolutional networks of ours, Swin and MaxViT are explained by Grad-CAM: a map at the resolution of the last feature
map, scaled to a maximum of 1. Vision transformers, DINOv2 among them, are explained by their attention, weighed by its
gradients (Chefer, Gur and Wolf 2021): a map of their patches, scaled likewise. ONNX files and all others
are explained by occlusion: how much the probability falls when a place is covered.`;

/** `fivecrop explain`: see its help text. */
export function explainCommand(): Command {
  const command = new Command('explain')
    .summary('show where in an image a class was seen')
    .description('Shows where in an image, and in each of its crops, a class was seen.')
    .argument('<image>', 'an image')
    .option('--checkpoint <file>', 'a checkpoint, or the folder of a run, whose best one is taken');
  for (const option of [...networkOptions(), ...preprocessingOptions(), ...foreignOptions()]) command.addOption(option);
  command
    .option('--class <name or index>', 'the class to explain [the most likely by the mean of the crops]')
    .option('--resize <pixels>', 'short side before the crops: 256, or what the checkpoint was trained with')
    .addOption(cropsOption(5))
    .option('--out <file.png>', 'write the crops with their maps as a picture')
    .addHelpText('after', examples);
  for (const option of computingOptions()) command.addOption(option);
  return command
    .option('--json', 'print one object, with the maps')
    .action((image: string, options: OptionValues) => explain(image, options));
}

const methodNames = {
  'grad-cam': 'Grad-CAM',
  attention: 'gradient-weighted attention',
  occlusion: 'occlusion',
} as const;

async function explain(image: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const { out } = options;
  if (typeof out === 'string' && !/\.png$/iu.test(out)) throw usageError(`${out}: the picture must be named *.png.`);
  const source = classifierFromFlags(options);
  const cropCount = cropCountFrom(options);
  const resize = typeof options['resize'] === 'string' ? numberOf('--resize', options['resize']) : undefined;
  if (resize !== undefined && !(Number.isInteger(resize) && resize > 0)) {
    throw usageError('--resize takes a whole number of pixels.');
  }
  const placement = await placementFromFlags(options, output.say);
  const explained = await explainImage(image, source, placement, {
    ...{ cropCount, log: output.say },
    ...(resize === undefined ? {} : { resize }),
    ...(typeof options['class'] === 'string' ? { className: options['class'] } : {}),
  });
  const { label, probability, method, crops } = explained;
  output.object({
    ...{ image, class: label, probability, method },
    crops: crops.map(({ crop, probability: own, map }) => ({ crop, probability: own, map })),
  });
  output.print(`${label.name} (${label.folder}), probability ${probability.toFixed(3)}, by ${methodNames[method]}`);
  const rows = crops.map(({ crop, probability: own, map }) => [crop, own.toFixed(3), placeOf(map)]);
  for (const line of formatTable(['crop', 'probability', 'seen most'], rows)) output.print(line);
  if (typeof out !== 'string') return;
  await writeFile(out, await explanationPicture(explained)).catch((error: unknown) => {
    throw userError(`${out} cannot be written (${messageOf(error)}): choose another place.`, error);
  });
  output.say(`Wrote ${out}`);
}

/** Where a map is largest, in percent from the left and from the top. */
function placeOf(map: readonly (readonly number[])[]): string {
  let best = { value: 0, left: 0, top: 0 };
  map.forEach((row, y) =>
    row.forEach((value, x) => {
      if (value > best.value) best = { value, left: (x + 0.5) / row.length, top: (y + 0.5) / map.length };
    }),
  );
  if (best.value === 0) return 'nowhere';
  return `${Math.round(best.left * 100)} % from the left, ${Math.round(best.top * 100)} % from the top`;
}

import { Command, Option } from 'commander';
import { basename } from 'node:path';
import process from 'node:process';
import { usageError } from '../../protocol/errors.ts';
import { type Precision, precisions } from '../../protocol/trainingConfig.ts';
import type { FailedPrediction, ImagePrediction } from '../../protocol/prediction.ts';
import { calibrationImages } from '../engine/engine.ts';
import { has8Bits, inPrecision } from '../engine/inPrecision.ts';
import { temperatureFor } from '../../protocol/confidenceCalibration.ts';
import { cropCountFor } from '../data/fiveCrops.ts';
import { withoutCalibration } from '../inference/calibrated.ts';
import { calibrateInt8, canCalibrateInt8, tooFewToCalibrate } from '../inference/calibrateInt8.ts';
import type { Classifier } from '../inference/classifier.ts';
import { findImages } from '../inference/findImages.ts';
import { loadClassifier } from '../inference/loadClassifier.ts';
import { predictImages, rejectThresholdOf } from '../inference/predictImages.ts';
import { renameClasses } from '../inference/renameClasses.ts';
import { readClassNames } from '../data/classNames.ts';
import { slowIn8Bits } from '../networks/slowIn8Bits.ts';
import type { DownloadProgress } from '../weights/download.ts';
import { classifierFromFlags } from './classifierFlags.ts';
import { computingOptions, cropCountFrom, cropsOption, placementFromFlags } from './computingFlags.ts';
import { numberOf, type OptionValues } from './configFlags.ts';
import { temperatureLine } from './evaluationLines.ts';
import { withInterrupt } from './interrupt.ts';
import { foreignOptions, networkOptions, preprocessingOptions } from './networkFlags.ts';
import { createOutput, type Output } from './output.ts';
import { createProgress, imagesNote } from './progress.ts';
import { formatTable } from './table.ts';
import { preparationLines } from './preparationLines.ts';

const examples = `
Examples:
  fivecrop predict rose.jpg --checkpoint runs/NAME/checkpoints/best.safetensors
  fivecrop predict photos --checkpoint runs/NAME --crops 1 --json
  fivecrop predict dog.jpg --arch resnet101                ImageNet’s classes
  fivecrop predict rose.jpg --arch resnet18 --weights flowers.pth --labels classes.txt
  fivecrop predict dog.jpg --backbone mobilenet_v2_1.0_224.onnx --preprocess tf

Each crop is classified by itself; the mean of the crops’ probabilities says what the image shows.`;

/** `fivecrop predict`: see its help text. */
export function predictCommand(): Command {
  const command = new Command('predict')
    .summary('classify images over five crops')
    .description('Classifies images, or all images in folders, with a checkpoint or a pretrained network.')
    .argument('<images...>', 'images and folders of images')
    .option('--checkpoint <file>', 'a checkpoint, or the folder of a run, whose best one is taken')
    .addHelpText('after', examples);
  for (const option of [...networkOptions(), ...preprocessingOptions(), ...foreignOptions()]) command.addOption(option);
  command
    .option('--resize <pixels>', 'short side before the crops: 256, or what the checkpoint was trained with')
    .addOption(cropsOption(5))
    .addOption(new Option('--top-k <n>', 'number of classes in each ranking').default('5'))
    .option('--class-names <file>', 'JSON file that names the class folders, in place of the names kept')
    .option('--reject', 'answer “none of these” below the confidence that calibrate --target-error saved');
  for (const option of computingOptions()) command.addOption(option);
  return command
    .addOption(
      new Option('--precision <p>', `int8 (8 bits) is faster on CPUs; it takes ${calibrationImages} images or more`)
        .choices(precisions)
        .default('float32'),
    )
    .option('--json', 'print one object per image, one per line')
    .action((images: string[], options: OptionValues) => predict(images, options));
}

async function predict(paths: readonly string[], options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const settings = {
    cropCount: cropCountFrom(options),
    topK: wholeNumber('--top-k', options['topK']) ?? 5,
    ...optional('resize', wholeNumber('--resize', options['resize'])),
    reject: options['reject'] === true,
  };
  const source = classifierFromFlags(options);
  const images = await findImages(paths, output.say);
  const asked = precisionFrom(options, images, output.say);
  const { engine, device } = await placementFromFlags(options, output.say);
  const precision = has8Bits(engine, device) ? asked : 'float32';
  if (settings.reject && precision === 'int8') {
    throw usageError('--reject needs --precision float32: the confidence that it compares is not fitted in 8 bits.');
  }
  const placement = { engine: inPrecision(engine, asked, output.say), device };
  const loaded = await loadClassifier(source, placement, { log: output.say, onProgress: downloadLines(output.say) });
  try {
    if (settings.reject) rejectThresholdOf(loaded, cropCountFor(loaded.preprocessing.fit, settings.cropCount));
    if (precision === 'int8') {
      sayIfSlow(loaded, output);
      await calibrateInt8(loaded, images);
    }
    const classifier = await named(fitting(loaded, settings.cropCount, output), options['classNames']);
    const stopping = () => output.say('Stopping after the current images; Ctrl-C again quits at once.');
    const failed = await withInterrupt(stopping, (signal) =>
      printPredictions(classifier, images, { ...settings, signal }, output),
    );
    if (failed > 0) process.exitCode = 1;
  } finally {
    await loaded.dispose();
  }
}

/** What is asked for, or float32 where the images are too few for 8 bits. */
function precisionFrom(options: OptionValues, images: readonly string[], say: (line: string) => void): Precision {
  const asked = precisions.find((name) => name === options['precision']) ?? 'float32';
  if (asked === 'float32' || canCalibrateInt8(images)) return asked;
  say(tooFewToCalibrate);
  return 'float32';
}

/** Says so of a network that is known to be slower in 8 bits. */
function sayIfSlow({ graph }: Classifier, { say }: Output): void {
  const slow = graph && slowIn8Bits(graph.network);
  if (slow !== undefined) say(slow);
}

/** A temperature fits the logits of float32; that there is one is said. */
function fitting(classifier: Classifier, crops: 1 | 5, { say }: Output): Classifier {
  const { calibration, preprocessing } = classifier;
  const temperature = temperatureFor(calibration, cropCountFor(preprocessing.fit, crops));
  if (temperature === undefined) return classifier;
  if (classifier.in8Bits?.() !== true) {
    say(`${temperatureLine(temperature)}.`);
    return classifier;
  }
  say('The temperature of the checkpoint does not fit 8 bits (int8), so it is not used.');
  return withoutCalibration(classifier);
}

function downloadLines(say: (line: string) => void): (progress: DownloadProgress) => void {
  const lines = preparationLines(say);
  return ({ file, received, total }) => lines({ what: `Downloading ${basename(file)}`, done: received, total });
}

/** Number of images that could not be classified. */
async function printPredictions(
  classifier: Classifier,
  images: readonly string[],
  settings: Parameters<typeof predictImages>[2],
  output: Output,
): Promise<number> {
  const progress = createProgress(images.length > 1 && (output.json || !process.stdout.isTTY));
  const startedAt = Date.now();
  let [done, failed] = [0, 0];
  try {
    for await (const prediction of predictImages(classifier, images, settings)) {
      output.object(prediction);
      if ('error' in prediction) {
        failed++;
        progress.line(failureLine(prediction));
      } else for (const line of predictionLines(prediction)) output.print(line);
      done++;
      progress.update(done, images.length, imagesNote(done, images.length, startedAt));
    }
  } finally {
    progress.stop();
  }
  return failed;
}

function failureLine({ image, error }: FailedPrediction): string {
  return `${image} is left out: ${error}`;
}

/** A row a class in the order of the mean, a column a crop; a dot where the class is not among the crop's first. */
export function predictionLines({ image, crops, mean, rejected = false }: ImagePrediction): string[] {
  const header = ['', ...(crops.length > 1 ? ['mean'] : []), ...crops.map(({ crop }) => crop)];
  const rows = mean.map(({ index, folder, name, probability }) => [
    folder === name ? name : `${name} (${folder})`,
    ...(crops.length > 1 ? [probability.toFixed(3)] : []),
    ...crops.map(({ top }) => top.find((ranked) => ranked.index === index)?.probability.toFixed(3) ?? '·'),
  ]);
  return [rejected ? `${image}: none of these` : image, ...formatTable(header, rows).map((line) => `  ${line}`), ''];
}

async function named(classifier: Classifier, file: unknown): Promise<Classifier> {
  return typeof file === 'string' ? renameClasses(classifier, await readClassNames('.', file)) : classifier;
}

function wholeNumber(flag: string, text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  const value = numberOf(flag, text);
  if (!Number.isInteger(value) || value < 1) throw usageError(`${flag} takes a whole number from 1, not ${text}.`);
  return value;
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, Value>);
}

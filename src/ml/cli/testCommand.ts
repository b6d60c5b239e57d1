import { Command, Option } from 'commander';
import { extname, isAbsolute, relative } from 'node:path';
import process from 'node:process';
import { calibration } from '../../protocol/calibration.ts';
import { splitNames } from '../../protocol/dataReport.ts';
import { usageError } from '../../protocol/errors.ts';
import { type Evaluation, withoutProbabilities } from '../../protocol/evaluation.ts';
import { evaluationMetrics } from '../../protocol/evaluationMetrics.ts';
import { riskCoverage } from '../../protocol/rejection.ts';
import { layouts } from '../../protocol/trainingConfig.ts';
import { readClassNames } from '../data/classNames.ts';
import { cropCountFor } from '../data/fiveCrops.ts';
import type { SplitShares } from '../data/stratifiedSplit.ts';
import type { ScoredImage } from '../../protocol/classCurves.ts';
import { compareEvaluations } from '../../protocol/compareEvaluations.ts';
import type { Classifier } from '../inference/classifier.ts';
import { type Slicer, slicerOf } from '../inference/slicer.ts';
import { type ClassifierSource, loadClassifier } from '../inference/loadClassifier.ts';
import { renameClasses } from '../inference/renameClasses.ts';
import type { ClassifierTest } from '../inference/testClassifier.ts';
import { classifierFromFlags } from './classifierFlags.ts';
import { computingOptions, cropCountFrom, placementFromFlags } from './computingFlags.ts';
import { numberOf, type OptionValues } from './configFlags.ts';
import { cropLines } from './cropLines.ts';
import { curveLines, writeCurves } from './curvesFile.ts';
import { evaluationLines } from './evaluationLines.ts';
import { foreignOptions, networkOptions, preprocessingOptions } from './networkFlags.ts';
import { rejectionLine, rejectionOf, targetErrorFrom } from './rejectionLine.ts';
import { createOutput, type Output } from './output.ts';
import { sliceLines, sliceObject } from './slices.ts';
import { testVisibly } from './testVisibly.ts';

const examples = `
Examples:
  fivecrop test flowers --checkpoint runs/NAME
  fivecrop test flowers --checkpoint runs/NAME/checkpoints/last.safetensors --split valid --crops 5
  fivecrop test flowers --checkpoint runs/NAME --crops both
  fivecrop test flowers --arch resnet18 --weights flowers.pth --labels classes.txt
  fivecrop test flowers --checkpoint runs/NAME --target-error 0.02 --curves curves.csv
  fivecrop test flowers --checkpoint runs/NAME --slice brightness --slice 'path:*/garden/*' --slice photos.csv:camera

On the data of its run a checkpoint is tested on the images that the run set aside; on any other folder on that
folder’s own test split, or on all images if it has none. The result is also kept beside the checkpoint. The labels of
another program's file are the names of the class folders, and what it was trained on is not known. For --target-error
the validation images are tested too: the threshold is the lowest at which the accepted validation images have no
higher error. Calibration says how far the confidence of predictions is from how often they are right.
The names of the report’s script work too: --load_dir, --category_names, --gpu.`;

/** `fivecrop test`: see its help text. */
export function testCommand(): Command {
  const command = new Command('test')
    .summary('test a checkpoint on images whose classes are known')
    .description('Tests a checkpoint: accuracy, top-5 accuracy, loss, and precision, recall and F1 of each class.')
    .argument('<data>', 'folder of images, as for train')
    .option('--checkpoint <file>', 'a checkpoint, or the folder of a run, whose best one is taken')
    .addOption(new Option('--split <name>', 'which images').choices(splitNames).default('test'))
    .addOption(
      new Option('--crops <n>', 'crops of each image: 1 for the center, 5, or both, which compares them')
        .choices(['1', '5', 'both'])
        .default('1'),
    )
    .option(
      '--target-error <share>',
      'choose the confidence below which to answer “none of these”, for this share of errors',
    )
    .option('--curves <file>', 'write precision-recall and ROC curves of each class to this CSV file')
    .addOption(
      new Option(
        '--slice <what>',
        'accuracy of parts of the images: by size, brightness, sharpness, path:PATTERN or FILE.csv:COLUMN, whose first column names images; may be given several times',
      ).argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]),
    )
    .option('--class-names <file>', 'JSON file that names the class folders, in place of the names kept')
    .option('--seed <n>', 'for another folder than the run’s: tests a split of its classes, drawn by this seed [0]')
    .option('--valid-share <share>', 'for that split: share for validation [0.15]')
    .option('--test-share <share>', 'for that split: share for testing [0.15]')
    .addOption(new Option('--layout <name>', 'how the folder is read, as for train').choices(layouts))
    .addHelpText('after', examples);
  for (const option of [...networkOptions(), ...preprocessingOptions(), ...foreignOptions()]) command.addOption(option);
  for (const option of computingOptions()) command.addOption(option);
  return command
    .option('--json', 'print the result as one object')
    .action((data: string, options: OptionValues) => testCheckpoint(data, options));
}

async function testCheckpoint(data: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const isComparison = options['crops'] === 'both';
  const cropCount = isComparison ? 1 : cropCountFrom(options);
  const targetError = targetErrorFrom(options);
  const curves = curvesFileFrom(options);
  const slicers = await slicersFrom(options, output.say);
  if (isComparison && (targetError !== undefined || curves !== undefined || slicers.length > 0)) {
    throw usageError('--crops both compares 1 and 5; give --target-error, --curves and --slice with one of them.');
  }
  const split = splitNames.find((name) => name === options['split']) ?? 'test';
  const source = classifierFromFlags(options);
  const checkpoint = testedFile(source);
  const placement = await placementFromFlags(options, output.say);
  const layout = layouts.find((name) => name === options['layout']);
  const loaded = await loadClassifier(source, placement, { log: output.say });
  try {
    const classifier = await named(loaded, options['classNames']);
    const test = {
      checkpoint,
      isForeign: source.kind !== 'checkpoint',
      data,
      split,
      cropCount,
      ...sharesFrom(options),
      ...(layout === undefined ? {} : { layout }),
    };
    if (isComparison) await compareCrops(classifier, test, output);
    else await testOnce(classifier, test, { targetError, curves, slicers }, output);
  } finally {
    await loaded.dispose();
  }
}

/** The file beside which the result is kept. Throws a usage error for published weights, whose classes are no folders. */
function testedFile(source: ClassifierSource): string {
  if (source.kind === 'checkpoint') return source.file;
  const file = source.kind === 'backbone' ? source.file : source.weights;
  if (file !== undefined && isAbsolute(file)) return file;
  throw usageError('Name the file that is tested: --checkpoint FILE, --arch NAME --weights FILE, or --backbone FILE.onnx.'); // prettier-ignore
}

/** What is asked for besides the test itself. */
interface TestWishes {
  readonly targetError: number | undefined;
  readonly curves: string | undefined;
  readonly slicers: readonly { readonly by: string; readonly slice: Slicer }[];
}

async function testOnce(
  classifier: Classifier,
  test: ClassifierTest,
  { targetError, curves: file, slicers }: TestWishes,
  output: Output,
): Promise<void> {
  // First, since it may be that there are none.
  const chosenBy = targetError === undefined || test.split === 'valid' ? undefined : await testedValid(classifier, test, output); // prettier-ignore
  const scored: ScoredImage[] = [];
  const listening = file === undefined ? {} : { onScored: (image: ScoredImage) => scored.push(image) };
  const { evaluation, kept, problem } = await testVisibly(classifier, test, output, listening);
  const rejection =
    targetError === undefined ? undefined : rejectionOf(targetError, chosenBy ?? evaluation, chosenBy && evaluation);
  const curves = file === undefined ? undefined : await writeCurves(file, classifier.labels, scored);
  const slices = slicers.map(({ by, slice }) => ({ by, slices: slice(evaluation) }));
  output.object({
    ...withoutProbabilities(evaluation),
    ...evaluationMetrics(evaluation),
    calibration: calibration(evaluation.results),
    riskCoverage: riskCoverage(evaluation.results),
    ...(rejection ? { rejection } : {}),
    ...(curves ? { curves } : {}),
    ...(slices.length > 0 ? { slices: slices.map(sliceObject) } : {}),
  });
  const shown = kept === undefined ? '--json' : relative(process.cwd(), kept);
  for (const line of evaluationLines(evaluation, shown)) output.print(line);
  if (rejection) output.print(rejectionLine(rejection));
  if (curves) for (const line of curveLines(curves)) output.print(line);
  for (const line of slices.flatMap(sliceLines)) output.print(line);
  output.say(problem ?? `Saved in ${shown}`);
  if (file !== undefined) output.say(`Wrote ${file}`);
}

/** Tests with one crop and with five, and says which images only one of them gets right. */
async function compareCrops(classifier: Classifier, test: ClassifierTest, output: Output): Promise<void> {
  if (cropCountFor(classifier.preprocessing.fit, 5) !== 5) {
    throw usageError('The network sees whole images, so there are no five crops to compare: leave out --crops both.');
  }
  const evaluations: Evaluation[] = [];
  for (const cropCount of [1, 5] as const) {
    const { evaluation, problem } = await testVisibly(classifier, { ...test, cropCount }, output);
    if (problem !== undefined) output.say(problem);
    evaluations.push(evaluation);
  }
  const comparison = compareEvaluations(
    evaluations.map((evaluation) => ({ name: `${evaluation.cropCount}`, evaluation })),
  );
  output.object({ tests: evaluations.map((evaluation) => ({ ...withoutProbabilities(evaluation), ...evaluationMetrics(evaluation) })), comparison }); // prettier-ignore
  for (const line of cropLines(comparison)) output.print(line);
}

/** A reject threshold is chosen by validation images: chosen by those that it is tested on it would look better than it is. */
async function testedValid(classifier: Classifier, test: ClassifierTest, output: Output): Promise<Evaluation> {
  output.say('Testing the validation images, by which the reject threshold is chosen');
  const { evaluation } = await testVisibly(classifier, { ...test, split: 'valid' }, output);
  return evaluation;
}

async function slicersFrom({ slice }: OptionValues, say: Output['say']): Promise<TestWishes['slicers']> {
  const asked = Array.isArray(slice) ? slice.map(String) : [];
  return Promise.all(asked.map(async (by) => ({ by, slice: await slicerOf(by, say) })));
}

function curvesFileFrom({ curves }: OptionValues): string | undefined {
  if (typeof curves !== 'string') return undefined;
  if (extname(curves).toLowerCase() !== '.csv') throw usageError(`${curves}: the file to write must be named *.csv.`);
  return curves;
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

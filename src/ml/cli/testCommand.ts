import { Command, Option } from 'commander';
import { relative, resolve } from 'node:path';
import process from 'node:process';
import { splitNames, type SplitName } from '../../protocol/dataReport.ts';
import { userError } from '../../protocol/errors.ts';
import { evaluationPath, evaluationSchema } from '../../protocol/evaluation.ts';
import { evaluationMetrics } from '../../protocol/evaluationMetrics.ts';
import { scanDataset, type Dataset } from '../data/scanDataset.ts';
import type { Classifier } from '../inference/classifier.ts';
import { evaluate } from '../inference/evaluate.ts';
import { writeEvaluation } from '../inference/writeEvaluation.ts';
import { loadClassifier } from '../inference/loadClassifier.ts';
import { splitSharesOf } from '../training/splitSharesOf.ts';
import { checkpointPath } from './checkpointPath.ts';
import { computingOptions, cropCountFrom, cropsOption, placementFromFlags } from './computingFlags.ts';
import { numberOf, type OptionValues } from './configFlags.ts';
import { evaluationLines } from './evaluationLines.ts';
import { withInterrupt } from './interrupt.ts';
import { createOutput, type Output } from './output.ts';
import { createProgress, imagesNote } from './progress.ts';

const examples = `
Examples:
  fivecrop test flowers --checkpoint runs/NAME
  fivecrop test flowers --checkpoint runs/NAME/checkpoints/last.safetensors --split valid --crops 5

The result is also kept beside the checkpoint. The names of the report’s script work too: --load_dir, --category_names,
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
    .option('--seed <n>', 'for a folder without splits: seed of the split; the run’s own without it')
    .option('--valid-share <share>', 'for a folder without splits: share for validation; the run’s own without it')
    .option('--test-share <share>', 'for a folder without splits: share for testing; the run’s own without it')
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
  const classifier = await loadClassifier({ kind: 'checkpoint', file: checkpoint }, placement, { log: output.say });
  try {
    const { classNames } = options;
    const dataset = await scanDataset(data, {
      ...(await splitShares(checkpoint, options)),
      classes: classifier.labels,
      ...(typeof classNames === 'string' ? { classNames } : {}),
    });
    for (const note of dataset.notes) output.say(note);
    const figures = await evaluateSplit(classifier, dataset, split, cropCount, output);
    const about = { version: 1 as const, checkpoint, data: dataset.root, split, time: new Date().toISOString() };
    const evaluation = evaluationSchema.parse({ ...about, ...figures });
    await writeEvaluation(evaluation);
    output.object({ ...evaluation, ...evaluationMetrics(evaluation) });
    const kept = relative(process.cwd(), evaluationPath(evaluation));
    for (const line of evaluationLines(evaluation, kept)) output.print(line);
    output.say(`Kept in ${kept}`);
  } finally {
    await classifier.dispose();
  }
}

/** How a folder without splits is split: as the flags say, else as in the run that made the checkpoint. */
async function splitShares(checkpoint: string, options: OptionValues) {
  const { seed, validShare, testShare } = await splitSharesOf(checkpoint);
  const number = (flag: string, name: string, otherwise: number) =>
    typeof options[name] === 'string' ? numberOf(flag, options[name]) : otherwise;
  return {
    seed: number('--seed', 'seed', seed),
    validShare: number('--valid-share', 'validShare', validShare),
    testShare: number('--test-share', 'testShare', testShare),
  };
}

async function evaluateSplit(
  classifier: Classifier,
  dataset: Dataset,
  split: SplitName,
  cropCount: 1 | 5,
  output: Output,
) {
  const samples = dataset.splits[split];
  if (samples.length === 0) {
    const filled = splitNames.filter((name) => dataset.splits[name].length > 0).join(' or ');
    throw userError(
      `${dataset.root} has no images to ${split === 'test' ? 'test' : 'use'} in ${split}; take --split ${filled}.`,
    );
  }
  const progress = createProgress(true);
  const startedAt = Date.now();
  const stopping = () => progress.line('Stopping after the present images; Ctrl-C again quits at once.');
  try {
    return await withInterrupt(stopping, (signal) =>
      evaluate(classifier, samples, {
        cropCount,
        signal,
        onProgress: (done, total) => progress.update(done, total, imagesNote(done, total, startedAt)),
        onLeftOut: (image, reason) => output.say(`${image} is left out: ${reason}`),
      }),
    );
  } finally {
    progress.stop();
  }
}

import asciichart from 'asciichart';
import { Command } from 'commander';
import process from 'node:process';
import { usageError } from '../../protocol/errors.ts';
import { type RateRange, usualRateRange } from '../../protocol/dryRun.ts';
import { chooseEngine } from '../engine/chooseEngine.ts';
import { findLearningRate, type FoundRate } from '../training/run/findLearningRate.ts';
import { numberOf, type OptionValues } from './configFlags.ts';
import { withInterrupt } from './interrupt.ts';
import { createOutput } from './output.ts';
import { preparationLines } from './preparationLines.ts';
import { createProgress } from './progress.ts';
import { addTrainingOptions } from './trainingFlags.ts';
import { trainingConfigFrom } from './trainingConfigFrom.ts';

const examples = `
Examples:
  fivecrop lr-find flowers                                 for what fivecrop train flowers would train
  fivecrop lr-find flowers --arch resnet18 --method full --from 1e-6
  fivecrop lr-find --config flowers.fivecrop.json --json

Takes one step per learning rate, from low to high, and watches the loss of each batch (Smith 2017). Train with the rate
at which the loss falls fastest, or a tenth of the one at which it is lowest: fivecrop train flowers --lr RATE. Nothing is
saved.`;

/** Flags of `train` that say how the rate changes over a run, how long it takes and what it keeps. */
const ofWholeRuns = [
  ...['--lr', '--min-lr', '--schedule', '--warmup-steps', '--step-epochs', '--step-factor', '--epochs'],
  ...['--ema-decay', '--validate-every', '--early-stop', '--keep-epochs', '--tensorboard', '--pinned-images'],
  ...['--unfreeze-epochs', '--start-size'],
];
const [fewestSteps, mostSteps] = [10, 10_000];

/** `fivecrop lr-find`: see its help text. */
export function lrFindCommand(): Command {
  const command = new Command('lr-find')
    .summary('try learning rates before training')
    .description('Trains a few steps at growing learning rates, and suggests the rate to train with.')
    .argument('[data]', 'folder of images, as for train')
    .addHelpText('after', examples);
  addTrainingOptions(command, ofWholeRuns);
  return command
    .option('--from <rate>', `lowest learning rate [${usualRateRange.from}]`)
    .option('--to <rate>', `highest learning rate [${usualRateRange.to}]`)
    .option('--steps <n>', `number of learning rates, each tried on one batch [${usualRateRange.steps}]`)
    .option('--json', 'print one object')
    .action((data: string | undefined, options: OptionValues) => lrFind(data, options));
}

async function lrFind(data: string | undefined, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const range = rangeFrom(options);
  const config = await trainingConfigFrom(data, options);
  const progress = createProgress(!output.json);
  const prepared = preparationLines(progress.line);
  const stopping = () => progress.line('Stopping; Ctrl-C again quits at once.');
  const found = await withInterrupt(stopping, (signal) =>
    findLearningRate(config, range, {
      ...{ chooseEngine, signal, onProgress: prepared },
      advice: 'begin with a lower one (--from), or try more (--steps)',
      onEvent: (event) => {
        if (event.event === 'log') progress.line(event.message);
      },
      onPoint: ({ learningRate, loss }, done) => {
        progress.update(done, range.steps, `steps | learning rate ${shown(learningRate)} | loss ${loss.toFixed(3)}`);
      },
    }),
  ).finally(progress.stop);
  const { points, smoothed, steepest, least } = found;
  output.object({ steepest, least, points: points.map((point, index) => ({ ...point, smoothed: smoothed[index] })) });
  if (!output.json) output.drawing(`\n${drawing(found)}\n`);
  for (const line of lines(found)) output.print(line);
}

function rangeFrom(options: OptionValues): RateRange {
  const number = (name: 'from' | 'to' | 'steps') =>
    typeof options[name] === 'string' ? numberOf(`--${name}`, options[name]) : usualRateRange[name];
  const range = { from: number('from'), to: number('to'), steps: number('steps') };
  if (!(range.from > 0 && range.from < range.to && range.to <= 1000)) {
    throw usageError('--from must be above 0 and below --to, and --to at most 1000.');
  }
  if (!Number.isInteger(range.steps) || range.steps < fewestSteps || range.steps > mostSteps) {
    throw usageError(`--steps takes ${fewestSteps} to ${mostSteps} steps.`);
  }
  return range;
}

/** The smoothed losses, cut where they rise far above where they began, so that the fall can be seen. */
function drawing({ points, smoothed }: FoundRate): string {
  const columns = Math.max(20, Math.min(100, process.stderr.columns || 80) - 14);
  const top = 1.1 * (smoothed[0] ?? 0);
  const losses = Array.from({ length: columns }, (_, column) => {
    const at = Math.round((column * (smoothed.length - 1)) / (columns - 1));
    return Math.min(top, smoothed[at] ?? top);
  });
  const [first, last] = [points[0], points.at(-1)];
  const rates = `learning rates ${shown(first?.learningRate)} to ${shown(last?.learningRate)}, logarithmic`;
  return `loss of the batches, smoothed; ${rates}\n${asciichart.plot(losses, { height: 10 })}`;
}

function lines({ steepest, least }: FoundRate): string[] {
  const bottom = `The loss is lowest at ${shown(least)}; a tenth of that is ${shown(least / 10)}.`;
  if (steepest === undefined) {
    return ['The loss does not fall at any of these learning rates.', 'Try more steps (--steps), or other data.'];
  }
  return [`The loss falls fastest at ${shown(steepest)}: --lr ${shown(steepest)}`, bottom];
}

function shown(rate: number | undefined): string {
  return String(Number((rate ?? Number.NaN).toPrecision(2)));
}

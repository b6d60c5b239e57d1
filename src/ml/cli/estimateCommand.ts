import { Command } from 'commander';
import { bytes } from '../../charts/format.ts';
import type { RunEstimate } from '../../protocol/dryRun.ts';
import { chooseTrainingEngine } from '../engine/chooseTrainingEngine.ts';
import { estimateRun } from '../training/run/estimateRun.ts';
import type { OptionValues } from './configFlags.ts';
import { exactDuration } from './exactDuration.ts';
import { withInterrupt } from './interrupt.ts';
import { createOutput } from './output.ts';
import { preparationLines } from './preparationLines.ts';
import { createProgress } from './progress.ts';
import { addTrainingOptions } from './trainingFlags.ts';
import { trainingConfigFrom } from './trainingConfigFrom.ts';

const examples = `
Examples:
  fivecrop estimate flowers                                for what fivecrop train flowers would train
  fivecrop estimate flowers --arch resnet18 --method full --epochs 30 --json

Takes up to 48 steps and two validations of the run, and says what all of it comes to: an estimate, as a machine has other
work too, an early stop comes earlier, and checkpoints take time to write. Nothing is
saved.`;

/** `fivecrop estimate`: see its help text. */
export function estimateCommand(): Command {
  const command = new Command('estimate')
    .summary('say how long a training would take here')
    .description('Takes a few steps of a training, and says how long all of it would take here and how much memory.')
    .argument('[data]', 'folder of images, as for train')
    .addHelpText('after', examples);
  addTrainingOptions(command);
  return command
    .option('--json', 'print one object')
    .action((data: string | undefined, options: OptionValues) => estimate(data, options));
}

async function estimate(data: string | undefined, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const config = await trainingConfigFrom(data, options);
  const progress = createProgress(!output.json);
  const prepared = preparationLines(progress.line);
  const stopping = () => progress.line('Stopping; Ctrl-C again quits at once.');
  const found = await withInterrupt(stopping, (signal) =>
    estimateRun(config, {
      ...{ chooseEngine: chooseTrainingEngine, signal, onProgress: prepared },
      onEvent: (event) => {
        if (event.event === 'log') progress.line(event.message);
      },
      onStep: (done, total) => progress.update(done, total, 'steps'),
    }),
  ).finally(progress.stop);
  output.object(found);
  for (const line of lines(found)) output.print(line);
}

function lines(found: RunEstimate): string[] {
  const { seconds, memoryBytes, steps, firstSteps, firstStepSeconds, laterStepSeconds, device } = found;
  const milliseconds = (time: number) => `${(1000 * time).toFixed(time < 0.1 ? 1 : 0)} ms`;
  const later =
    steps > firstSteps ? `, ${steps - firstSteps} at ${milliseconds(laterStepSeconds)} once its images are known` : '';
  const memory = `${bytes(memoryBytes)} of memory`;
  // Of a graphics card's own memory nothing is measured.
  const takes =
    device === 'cpu' ? ` and ${memory} on ${device}` : ` on ${device}, and ${memory} outside the graphics card`;
  return [
    `About ${exactDuration(seconds)}${takes}, by ${found.measuredSteps} steps.`,
    `${firstSteps} ${firstSteps === 1 ? 'step' : 'steps'} at ${milliseconds(firstStepSeconds)}${later}.`,
    validationsOf(found),
  ];
}

function validationsOf({ validations, firstValidationSeconds, laterValidationSeconds }: RunEstimate): string {
  const first = shortTime(firstValidationSeconds);
  if (validations === 1) return `1 validation in ${first}.`;
  return `${validations} validations, the first in ${first}, each of the others in ${shortTime(laterValidationSeconds)}.`;
}

/** Seconds with a digit more where they are few. */
function shortTime(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : exactDuration(seconds);
}

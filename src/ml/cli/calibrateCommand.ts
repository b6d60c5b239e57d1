import { Command } from 'commander';
import { resolve } from 'node:path';
import type { Acceptance } from '../../protocol/rejection.ts';
import { usageError } from '../../protocol/errors.ts';
import { plural } from '../../protocol/plural.ts';
import {
  calibrateConfidence,
  type CalibratedCheckpoint,
  type CalibrationRequest,
  removeCalibration,
} from '../inference/calibrateConfidence.ts';
import type { Classifier } from '../inference/classifier.ts';
import { loadClassifier } from '../inference/loadClassifier.ts';
import { checkpointPath } from '../../runs/checkpointPath.ts';
import { computingOptions, placementFromFlags } from './computingFlags.ts';
import type { OptionValues } from './configFlags.ts';
import { imagesVisibly } from './imagesVisibly.ts';
import { createOutput, type Output } from './output.ts';
import { formatTable } from './table.ts';
import { roundedThreshold, targetErrorFrom } from './rejectionLine.ts';

const examples = `
Examples:
  fivecrop calibrate runs/NAME
  fivecrop calibrate runs/NAME --target-error 0.02
  fivecrop calibrate runs/NAME --remove

Divides the network’s logits by a temperature, so that predictions with a confidence of 0.8 are right in 80 of 100 cases.
It is fitted on the validation images of the run and kept in the checkpoint, so that test, predict, the editor and export
use it. Which class is predicted does not change. With --target-error the confidence is kept too below which predict
--reject answers “none of these”. A checkpoint that keeps one gets a new one for the same share of errors.`;

/** `fivecrop calibrate`: see its help text. */
export function calibrateCommand(): Command {
  const command = new Command('calibrate')
    .summary('fit the confidence of a checkpoint to its accuracy')
    .description('Fits a temperature on validation images and keeps it in the checkpoint.')
    .argument('<checkpoint>', 'a checkpoint, or the folder of a run, whose best one is taken')
    .option('--data <folder>', 'take the validation images of this folder instead of those of the run')
    .option(
      '--target-error <share>',
      'also save the confidence below which the answer is “none of these”, for this error rate',
    )
    .option('--remove', 'remove what was fitted before')
    .addHelpText('after', examples);
  for (const option of computingOptions()) command.addOption(option);
  return command
    .option('--json', 'print the result as one object')
    .action((checkpoint: string, options: OptionValues) => calibrateCheckpoint(checkpoint, options));
}

async function calibrateCheckpoint(path: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const checkpoint = checkpointPath(resolve(path));
  const targetError = targetErrorFrom(options);
  const data = typeof options['data'] === 'string' ? resolve(options['data']) : undefined;
  if (options['remove'] === true) {
    if (targetError !== undefined || data !== undefined) {
      throw usageError('--remove takes neither --target-error nor --data.');
    }
    await removeCalibration(checkpoint);
    output.object({ checkpoint });
    output.say(`${checkpoint} has no temperature any more.`);
    return;
  }
  const found = await fittedVisibly({ checkpoint, data, targetError }, options, output);
  output.object({ checkpoint, ...found.calibration, fitted: found.fitted });
  for (const line of calibrationLines(found)) output.print(line);
  output.say(`Saved in ${checkpoint}. Earlier test results have the confidence from before.`);
}

async function fittedVisibly(
  request: CalibrationRequest,
  options: OptionValues,
  output: Output,
): Promise<CalibratedCheckpoint> {
  const placement = await placementFromFlags(options, output.say);
  let loaded: Classifier | undefined;
  const load = async () => {
    loaded = await loadClassifier({ kind: 'checkpoint', file: request.checkpoint }, placement, { log: output.say });
    return loaded;
  };
  try {
    return await imagesVisibly(output, (visibly) => calibrateConfidence(load, request, visibly));
  } finally {
    await loaded?.dispose();
  }
}

/** What `fivecrop calibrate` prints. */
export function calibrationLines({ calibration: { images, rejection }, fitted }: CalibratedCheckpoint): string[] {
  const rows = fitted.map(({ crops, temperature, before, after }) => [
    String(crops),
    temperature.toFixed(3),
    ...[before.expectedError, after.expectedError, before.loss, after.loss].map((value) => value.toFixed(3)),
  ]);
  return [
    ...formatTable(['crops', 'temperature', 'expected error', 'scaled', 'loss', 'scaled'], rows),
    `Fitted on ${plural(images, 'validation image')}.`,
    ...(rejection ? fitted.map(({ crops, accepted }) => thresholdLine(crops, accepted, rejection.targetError, images)) : []), // prettier-ignore
  ];
}

function thresholdLine(crops: 1 | 5, accepted: Acceptance | undefined, targetError: number, images: number): string {
  const by = crops === 1 ? 'By one crop' : 'By five crops';
  if (!accepted) return `${by} no confidence threshold reaches an error of ${targetError}.`;
  return `${by} a confidence of ${roundedThreshold(accepted.threshold)} or more is accepted: ${accepted.accepted} of ${images}, error ${accepted.error.toFixed(3)}.`;
}

import type { Preprocessing } from '../../../protocol/preprocessing.ts';
import type { TrainingConfig } from '../../../protocol/trainingConfig.ts';
import { learningRateAt } from '../loop/schedule.ts';
import { learnedSettings, withMeanings } from './resumeSettings.ts';

/** A configuration that says how its images are prepared also where it leaves that to the network, or to the run before. */
export function withPixels(
  config: TrainingConfig,
  { resize, fit = 'crop', interpolation = 'bilinear' }: Preprocessing,
): TrainingConfig {
  return { ...config, resize, fit, interpolation };
}

/** Smaller jumps of the learning rate are those of the schedule itself. */
const jump = 1.05;

/**
 * What a resume changes of the settings, and what that does to the learning rate after `step` steps, in one line;
 * undefined where nothing changes.
 */
export function resumeChanges(
  before: TrainingConfig,
  now: TrainingConfig,
  { step, stepsPerEpoch }: { readonly step: number; readonly stepsPerEpoch: number },
): string | undefined {
  const text = (value: string | number | boolean | undefined) => (value === undefined ? 'its default' : String(value));
  const [was, is] = [withMeanings(before), withMeanings(now)];
  const changed = learnedSettings.filter((setting) => was[setting] !== is[setting]);
  if (changed.length === 0) return undefined;
  const changes = changed.map((setting) => `${setting} ${text(before[setting])} → ${text(now[setting])}`).join(', ');
  const rate = (config: TrainingConfig, at: number) =>
    learningRateAt(at, { ...config, stepsPerEpoch, totalSteps: config.epochs * stepsPerEpoch });
  const [last, next] = [rate(before, Math.max(0, step - 1)), rate(now, step)];
  const jumps = step > 0 && Math.max(last, next) > jump * Math.min(last, next);
  const goesOn = jumps ? `; the learning rate was ${last.toPrecision(2)} and continues at ${next.toPrecision(2)}` : '';
  return `The run continues with other settings than before: ${changes}${goesOn}.`;
}

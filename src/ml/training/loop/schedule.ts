/** How the learning rate changes over a run; steps are optimizer steps, counted from 0. */
export interface ScheduleOptions {
  readonly schedule: 'constant' | 'step' | 'cosine';
  /** The learning rate; the peak where the schedule changes it. */
  readonly learningRate: number;
  /** Steps over which the learning rate rises linearly: step i of w has (i + 1) / (w + 1) of it, so no step is wasted at 0. */
  readonly warmupSteps: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  /** For `step`: epochs between two drops, and what the rate is multiplied with at each. */
  readonly stepEpochs: number;
  readonly stepFactor: number;
  /** For `cosine`: what the rate falls to. */
  readonly minLearningRate: number;
}

/**
 * Learning rate of one step. `step` drops at the start of every `stepEpochs`-th epoch, as torch's StepLR does when it is
 * stepped once an epoch. `cosine` falls from the peak after the warm-up towards `minLearningRate` at `totalSteps` along half a cosine
 * (Loshchilov and Hutter 2017, without restarts), as torch's CosineAnnealingLR does when it is stepped every step.
 */
export function learningRateAt(step: number, options: ScheduleOptions): number {
  const { learningRate, warmupSteps } = options;
  if (step < warmupSteps) return (learningRate * (step + 1)) / (warmupSteps + 1);
  const floor = options.schedule === 'cosine' ? options.minLearningRate : 0;
  return floor + (learningRate - floor) * decay(step, options);
}

/** Share of the way from the least rate to the peak. */
function decay(step: number, options: ScheduleOptions): number {
  switch (options.schedule) {
    case 'constant':
      return 1;
    case 'step': {
      const epoch = Math.floor(step / Math.max(1, options.stepsPerEpoch));
      return options.stepFactor ** Math.floor(epoch / options.stepEpochs);
    }
    case 'cosine': {
      const length = Math.max(1, options.totalSteps - options.warmupSteps);
      const done = Math.min(1, (step - options.warmupSteps) / length);
      return (1 + Math.cos(Math.PI * done)) / 2;
    }
  }
}

/** Speed and time left, measured over the latest steps. */
export interface Throughput {
  /** Starts the clock of the next step; what lies before (a validation, a pause) does not count as training. */
  begin(): void;
  stepDone(images: number): void;
  /** One that prepared those after it, which then take a fraction of its time, says nothing of them. */
  validationDone(seconds: number, preparing: boolean): void;
  imagesPerSecond(): number;
  /** Seconds for so many more steps and validations at the present speed; undefined before there is a measure. */
  secondsLeft(steps: number, validations: number): number | undefined;
}

/** Steps that the speed is a mean of: enough to be steady, few enough to follow a change. */
const window = 20;
/** The first steps of a batch size allocate and tune: they say nothing of the speed. */
const warmUp = 2;

/** `now` is a clock in seconds. */
export function createThroughput(now: () => number = () => performance.now() / 1000): Throughput {
  const steps: { images: number; seconds: number }[] = [];
  const taken = new Map<number, number>();
  let warming = { images: 0, seconds: 0 };
  let began = now();
  let validationSeconds = 0;
  return {
    begin: () => {
      began = now();
    },
    stepDone: (images) => {
      const end = now();
      const step = { images, seconds: end - began };
      const count = (taken.get(images) ?? 0) + 1;
      taken.set(images, count);
      if (count <= warmUp) warming = step;
      else steps.push(step);
      if (steps.length > window) steps.shift();
      began = end;
    },
    validationDone: (lasted, preparing) => {
      if (!preparing) validationSeconds = lasted;
    },
    imagesPerSecond: () => {
      const measured = steps.length === 0 ? [warming] : steps;
      const images = measured.reduce((sum, step) => sum + step.images, 0);
      return images / Math.max(secondsOf(measured), 1e-9);
    },
    secondsLeft: (stepsLeft, validationsLeft) =>
      steps.length === 0
        ? undefined
        : (stepsLeft * secondsOf(steps)) / steps.length + validationsLeft * validationSeconds,
  };
}

function secondsOf(steps: readonly { readonly seconds: number }[]): number {
  return steps.reduce((sum, step) => sum + step.seconds, 0);
}

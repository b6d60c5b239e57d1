/** Speed and time left, measured over the latest steps. */
export interface Throughput {
  /** Starts the clock of the next step; what lies before (a validation, a pause) does not count as training. */
  begin(): void;
  stepDone(images: number): void;
  validationDone(seconds: number): void;
  imagesPerSecond(): number;
  /** Seconds for so many more steps and validations at the present speed; 0 before there is a measure. */
  secondsLeft(steps: number, validations: number): number;
}

/** Steps that the speed is a mean of: enough to be steady, few enough to follow a change. */
const window = 20;

/** `now` is a clock in seconds. */
export function createThroughput(now: () => number = () => performance.now() / 1000): Throughput {
  const steps: { images: number; seconds: number }[] = [];
  let began = now();
  let validationSeconds = 0;
  const seconds = () => steps.reduce((sum, step) => sum + step.seconds, 0);
  return {
    begin: () => {
      began = now();
    },
    stepDone: (images) => {
      const end = now();
      steps.push({ images, seconds: end - began });
      if (steps.length > window) steps.shift();
      began = end;
    },
    validationDone: (lasted) => {
      validationSeconds = lasted;
    },
    imagesPerSecond: () => {
      const images = steps.reduce((sum, step) => sum + step.images, 0);
      return images / Math.max(seconds(), 1e-9);
    },
    secondsLeft: (stepsLeft, validationsLeft) =>
      steps.length === 0 ? 0 : (stepsLeft * seconds()) / steps.length + validationsLeft * validationSeconds,
  };
}

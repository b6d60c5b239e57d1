/*
 * The report's plan for Flowers-102: 5 epochs of 205 batches of 32, and a validation of 817 images every 40 batches. It
 * takes torch an hour on two cores, so its parts are timed and added up.
 */
const epochs = 5;
const stepsPerEpoch = 205;
const batchSize = 32;
const validImages = 817;
/** Ours validates at the end of each epoch too. */
const validations = epochs * (Math.floor(stepsPerEpoch / 40) + 1);

/**
 * Images that pass through the frozen layers in our plan, which keeps what these make of images of validation, and of all
 * where each has one view.
 */
export function passedImages(hasOneView: boolean): number {
  return (hasOneView ? 1 : epochs) * stepsPerEpoch * batchSize + validImages;
}

/** The same in the report's script, which keeps nothing and does not validate at the end of an epoch. */
export const peersPassedImages = epochs * (stepsPerEpoch * batchSize + Math.floor(stepsPerEpoch / 40) * validImages);

/** The parts of our plan, in seconds. */
export interface PlanParts {
  /** What comes before the first step: the data read, weights loaded, 8-bit ranges found. */
  readonly preparation: number;
  /** A step of the first epoch, and of one after that. */
  readonly firstStep: number;
  readonly laterStep: number;
  /** An image of the first validation; a whole later one, for which what the frozen layers made of it is kept. */
  readonly firstValidation: number;
  readonly laterValidation: number;
}

/** Seconds for the whole plan. */
export function planSeconds({
  preparation,
  firstStep,
  laterStep,
  firstValidation,
  laterValidation,
}: PlanParts): number {
  const training = stepsPerEpoch * (firstStep + (epochs - 1) * laterStep);
  return preparation + training + validImages * firstValidation + (validations - 1) * laterValidation;
}

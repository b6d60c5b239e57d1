/** What early stopping remembers between epochs; a checkpoint keeps it. */
export interface EarlyStopState {
  /** Lowest validation loss at the end of an epoch so far; undefined before the first. */
  readonly bestLoss: number | undefined;
  readonly epochsWithoutBetter: number;
}

export const earlyStopStart: EarlyStopState = { bestLoss: undefined, epochsWithoutBetter: 0 };

/** The state after one more epoch. Equal is not better, and neither is NaN. */
export function afterEpoch(state: EarlyStopState, validLoss: number): EarlyStopState {
  const better = state.bestLoss === undefined ? !Number.isNaN(validLoss) : validLoss < state.bestLoss;
  return better
    ? { bestLoss: validLoss, epochsWithoutBetter: 0 }
    : { bestLoss: state.bestLoss, epochsWithoutBetter: state.epochsWithoutBetter + 1 };
}

/** Whether `patience` epochs have gone by without a better validation loss; never without a patience, or with none. */
export function shouldStop(state: EarlyStopState, patience = 0): boolean {
  return patience > 0 && state.epochsWithoutBetter >= patience;
}

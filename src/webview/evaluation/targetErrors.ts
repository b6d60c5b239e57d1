/** Shares of wrong answers among those that are accepted, from which a reader chooses one. */
export const targetErrors = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2] as const;
/** The value of the choice of none. */
export const noTarget = 'none';

export const matrixClasses = ['confused', 'all'] as const;
/** Which classes the confusion matrix shows: those that are confused most, as many as can be read, or all in small cells. */
export type MatrixClasses = (typeof matrixClasses)[number];

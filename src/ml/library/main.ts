/*
 * What `import … from 'fivecrop'` gives. The shell’s commands stand on the same functions.
 */
export { loadClassifier } from './classifier.ts';
export type { ClassifierLike, ClassifyOptions, ImageLike, LoadedClassifier, LoadOptions } from './classifier.ts';
export { resumeTraining, trainClassifier } from './training.ts';
export type { TrainedRun, TrainingSettings, TrainOptions } from './training.ts';
export { testClassifier } from './testing.ts';
export type { TestedCheckpoint, TestOptions } from './testing.ts';
export { checkData, drawSampleData, findSuspects } from './data.ts';
export type { DataOptions, SuspectsOptions } from './data.ts';
export { exportClassifier } from './exporting.ts';
export type { ExportOptions, WrittenExport } from './exporting.ts';
export { listNetworks, readRun, readRunEvents } from './runs.ts';
export { listRuns } from '../../runs/list.ts';
export type { RunList, StoredRun } from '../../runs/list.ts';
export { CancelledError, UserError } from '../../protocol/errors.ts';
export type { Computing } from './choosePlacement.ts';
export type { ClassifierSource } from '../inference/loadClassifier.ts';
export type { ImageBytes } from '../data/imageInput.ts';
export type { FoundSuspects } from '../features/findSuspects.ts';
export type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
export type { DataReport } from '../../protocol/dataReport.ts';
export type { Evaluation } from '../../protocol/evaluation.ts';
export type { FailedPrediction, ImagePrediction, RankedClass } from '../../protocol/prediction.ts';
export type { TrainingEvent } from '../../protocol/trainingEvents.ts';

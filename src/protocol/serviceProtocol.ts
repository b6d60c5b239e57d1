import * as z from 'zod';
import { accuracyTestSchema, checkedExpectationSchema } from './accuracyTests.ts';
import { backboneNames } from './backboneNames.ts';
import {
  between,
  count,
  line,
  list,
  mostClasses,
  mostImages,
  mostListed,
  mostPicturePixels,
  picture,
  whole,
} from './bounded.ts';
import { classLabelSchema } from './checkpointMetadata.ts';
import { cleaningActionSchema, cleaningSchema } from './cleaning.ts';
import { confidenceCalibrationSchema } from './confidenceCalibration.ts';
import { dataReportSchema } from './dataReport.ts';
import { evaluationSchema } from './evaluation.ts';
import { explanationSchema } from './explanation.ts';
import { exportAccuracySchema } from './exportFormat.ts';
import { exportWishesSchema } from './exportWishes.ts';
import { importedDataSchema } from './importedData.ts';
import { featureMapSchema } from './featureMap.ts';
import { labellingSchema } from './labelling.ts';
import { failedPredictionSchema, imagePredictionSchema } from './prediction.ts';
import { missingPartSchema, mostParts } from './study.ts';
import { hubPinSchema } from './timmConfig.ts';
import { samplesSchema } from './samples.ts';
import { suspectSchema } from './suspect.ts';
import { deviceChoices, engineChoices, givenConfigSchema, layouts, precisions } from './trainingConfig.ts';

/**
 * The service process does for the editor all that needs pixels or tensors but is no training: it classifies, tests,
 * checks data, exports, and says what this machine can do. It stays alive, so what it has loaded stays warm. Messages
 * go over the child process's own channel; every answer carries the id of its request.
 */

/** What classifies. */
export const classifierSourceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('checkpoint'), path: line() }),
  z.object({ kind: z.literal('architecture'), name: line(), weights: line().optional() }),
  z.object({ kind: z.literal('backbone'), path: line(), preprocess: z.enum(['imagenet', 'tf', 'caffe-bgr']) }),
]);
export type ClassifierSource = z.infer<typeof classifierSourceSchema>;

export const cropCountSchema = z.union([z.literal(1), z.literal(5)]);
export type CropCount = z.infer<typeof cropCountSchema>;

const placement = { engine: z.enum(engineChoices), device: z.enum(deviceChoices) };

/** A folder of images, and how it is read. */
const dataFields = {
  data: line(),
  validShare: z.number(),
  testShare: z.number(),
  seed: z.number().int(),
  layout: z.enum(layouts),
  classNames: line().optional(),
};

/** Published weights: those of a network, the set that is named or its first; or an ONNX file by its short name. */
export const publishedWeightsSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('architecture'),
    name: line(),
    set: line().optional(),
    /** What the name stands for on the hub, where that is decided. */
    hub: hubPinSchema.optional(),
  }),
  z.object({ kind: z.literal('backbone'), name: z.enum(backboneNames) }),
]);
export type PublishedWeights = z.infer<typeof publishedWeightsSchema>;

const serviceRequestBodySchema = z.discriminatedUnion('type', [
  /** Images or folders; answers `images`, `classifier`, then `prediction` and `failed` one by one, then `done`. */
  z.object({
    type: z.literal('predict'),
    images: list(line(), mostImages),
    source: classifierSourceSchema,
    crops: cropCountSchema,
    topK: z.number().int().positive(),
    /** Side in pixels of the thumbnail that comes with every prediction; 0 for none. */
    thumbnail: whole(0, mostPicturePixels),
    precision: z.enum(precisions),
    ...placement,
  }),
  /** Where in an image a class was seen, the likeliest without `classIndex`; answers `progress`, `explanation`, with `picture` a `picture` of it, then `done`. */
  z.object({
    type: z.literal('explain'),
    image: line(),
    source: classifierSourceSchema,
    crops: cropCountSchema,
    classIndex: whole(0, mostClasses - 1).optional(),
    picture: z.boolean().optional(),
    ...placement,
  }),
  /** A picture of an image file as a viewer shows it, at most `size` pixels on its long side; answers `preview`. */
  z.object({ type: z.literal('preview'), image: line(), size: whole(1, mostPicturePixels) }),
  /** Answers `progress`, then `evaluation` (also kept beside the checkpoint, if that can be written), then `done`. */
  z.object({
    type: z.literal('evaluate'),
    checkpoint: line(),
    data: line(),
    split: z.enum(['train', 'valid', 'test']),
    crops: cropCountSchema,
    ...placement,
  }),
  /**
   * Tests what a test of accuracy is about, whose paths are relative to `folder`; answers `progress`, then `asserted`, then
   * `done`.
   */
  z.object({ type: z.literal('assert'), test: accuracyTestSchema, folder: line(), ...placement }),
  /**
   * Fits a temperature on the validation images of a checkpoint's run and keeps it in the checkpoint, with a confidence
   * threshold for `targetError` if one is asked for or kept before; answers `progress`, `calibrated`, then `done`.
   */
  z.object({ type: z.literal('calibrate'), checkpoint: line(), targetError: between(0, 1).optional(), ...placement }),
  /** Takes out of a checkpoint what `calibrate` put into it; answers `done`. */
  z.object({ type: z.literal('uncalibrate'), checkpoint: line() }),
  /** `quick` leaves out the full decode; answers `progress`, then `report`, then `done`. */
  z.object({
    type: z.literal('check'),
    quick: z.boolean(),
    ...dataFields,
  }),
  /** How many images there are, and how fast some of them decode here; answers `size`, then `done`. */
  z.object({ type: z.literal('size'), ...dataFields }),
  /**
   * Edits a data folder, or takes an edit back, and fits a head on the features of `source` to the labels as they are then;
   * answers `progress`, then `cleaning`, then `done`.
   */
  z.object({
    type: z.literal('clean'),
    data: line(),
    source: classifierSourceSchema,
    action: cleaningActionSchema,
    /** Images that are shown whatever the head says of them, relative to the data folder. */
    chosen: list(line(), mostImages),
    layout: z.enum(layouts),
    ...placement,
  }),
  /** Images that look wrong by the features of `source`; answers `progress`, then `suspects`, then `done`. */
  z.object({
    type: z.literal('suspects'),
    data: line(),
    source: classifierSourceSchema,
    layout: z.enum(layouts),
    ...placement,
  }),
  /** A map of a folder's images by the features of `source`; answers `progress`, then `map`, then `done`. */
  z.object({
    type: z.literal('map'),
    data: line(),
    source: classifierSourceSchema,
    layout: z.enum(layouts),
    ...placement,
  }),
  /**
   * Labels images of a folder without classes, or takes that back, and fits a head to the labels as they are then; answers
   * `progress`, then, with `figures`, `labelling`, then `done`.
   */
  z.object({
    type: z.literal('label'),
    data: line(),
    unlabelled: line(),
    source: classifierSourceSchema,
    action: cleaningActionSchema,
    /** Images that come first, by absolute path: those that were just added. */
    first: list(line(), mostListed),
    figures: z.boolean(),
    layout: z.enum(layouts),
    ...placement,
  }),
  /** The images of a batch as a run of the configuration would train on them; answers `samples`, then `done`. */
  z.object({ type: z.literal('samples'), config: givenConfigSchema, epoch: count(), batch: count() }),
  /** Writes an export into the file or the new folder `output`, which answers `exported`, then `done`. */
  z.object({ type: z.literal('export'), checkpoint: line(), output: line(), ...exportWishesSchema.shape }),
  /** Writes the page of a run, one HTML file; answers `done`. `run` is its folder. */
  z.object({ type: z.literal('page'), run: line(), output: line() }),
  /** Makes the new folder `folder` of an archive, a table or a folder; answers `progress`, `imported`, then `done`. */
  z.object({ type: z.literal('import'), source: line(), folder: line() }),
  /** Tests the finished runs of a study and writes its results into its folder; answers `progress`, then `done`. */
  z.object({ type: z.literal('study'), folder: line(), missing: list(missingPartSchema, mostParts), ...placement }),
  /** Draws the sample data set; answers `done`. */
  z.object({ type: z.literal('sample'), folder: line() }),
  /** Answers `progress`, then `devices`, then `done`. */
  z.object({ type: z.literal('devices') }),
  /** Answers `networks`, then `done`. */
  z.object({ type: z.literal('networks'), weightsFolder: line().optional() }),
  /**
   * How fast networks classify here: answers a `speed` for each that was measured before, and, with `measure`, for the
   * others as they are measured, which takes some seconds each; then `done`.
   */
  z.object({ type: z.literal('speeds'), networks: list(line(), mostListed), measure: z.boolean(), ...placement }),
  /**
   * Looks whether published weights are at hand or can be downloaded, or, with `fetch`, downloads them, which answers
   * `progress` in bytes. Answers `weights`, then `done`.
   */
  z.object({ type: z.literal('weights'), weights: publishedWeightsSchema, fetch: z.boolean() }),
  /**
   * Looks whether CUDA's libraries are installed or can be, installs them, which answers `progress` in bytes, or removes
   * them. Answers `cuda`, as things are afterwards, then `done`.
   */
  z.object({ type: z.literal('cuda'), action: z.enum(['look', 'install', 'remove']) }),
]);
export type ServiceRequestBody = z.infer<typeof serviceRequestBodySchema>;

export const serviceRequestSchema = z.union([
  z.object({ id: z.number().int(), request: serviceRequestBodySchema }),
  z.object({ id: z.number().int(), cancel: z.literal(true) }),
]);
export type ServiceRequest = z.infer<typeof serviceRequestSchema>;

/** A network on offer, for the list that *Train Model* shows. */
export const networkOfferSchema = z.object({
  name: line(),
  title: line(),
  /** Networks that are built alike, as lists group them. */
  family: line(),
  /** Whether the method `lora` can be used with it. */
  isTransformer: z.boolean(),
  parameters: z.number().int(),
  /** ImageNet top-1 accuracy of the pretrained weights, 0 to 1, where there are any. */
  top1: z.number().optional(),
  /** Licence of the pretrained weights, where it is known. */
  licence: line().optional(),
  /** Size of the pretrained weights in bytes, where there are any. */
  weightsBytes: z.number().int().optional(),
  /** Whether they lie on this machine already. */
  weightsHere: z.boolean(),
});
export type NetworkOffer = z.infer<typeof networkOfferSchema>;

/** What of a data set the time of a training depends on. */
export const dataSizeSchema = z.object({
  /** Numbers of images. */
  train: count(),
  valid: count(),
  /** Images that this machine decodes in a second; absent where none could be. */
  decodedPerSecond: z.number().positive().optional(),
});
export type DataSize = z.infer<typeof dataSizeSchema>;

/** An ONNX file on the hub that has a short name. */
export const backboneOfferSchema = z.object({
  name: z.enum(backboneNames),
  title: line(),
  licence: line(),
  weightsBytes: z.number().int(),
  weightsHere: z.boolean(),
});
export type BackboneOffer = z.infer<typeof backboneOfferSchema>;

/** Whether a network's pretrained weights are at hand, can be downloaded from `host`, or cannot be had, and why. */
export const weightsOutlookSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('here') }),
  z.object({ state: z.literal('remote'), host: line(), bytes: whole(0, Number.MAX_SAFE_INTEGER) }),
  z.object({ state: z.literal('missing'), reason: line() }),
]);
export type WeightsOutlook = z.infer<typeof weightsOutlookSchema>;

/** Whether CUDA's libraries are installed, can be downloaded from `source`, or cannot be used here, and why, without a full stop. */
export const cudaOutlookSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('here') }),
  z.object({
    state: z.literal('offered'),
    source: line(),
    /** Of the download, and of what lies on the disk afterwards. */
    bytes: whole(0, Number.MAX_SAFE_INTEGER),
    unpackedBytes: whole(0, Number.MAX_SAFE_INTEGER),
    licences: list(z.object({ name: line(), url: line() }), mostListed),
  }),
  z.object({ state: z.literal('impossible'), reason: line() }),
]);
export type CudaOutlook = z.infer<typeof cudaOutlookSchema>;

export const deviceOfferSchema = z.object({
  engine: line(),
  name: line(),
  available: z.boolean(),
  detail: line(),
  /** Of the step that every device is timed on. */
  secondsPerStep: z.number().optional(),
  /** What could be installed for it: TensorFlow's native package, CUDA's libraries, ONNX Runtime for this machine. */
  lacks: z.enum(['tensorflow', 'cuda', 'onnxruntime']).optional(),
});
export type DeviceOffer = z.infer<typeof deviceOfferSchema>;

const serviceAnswerBodySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('progress'),
    what: line(),
    done: z.number(),
    total: z.number().optional(),
    unit: z.literal('bytes').optional(),
  }),
  /** All that will be classified: the images that were named, and those in the folders that were. */
  z.object({ type: z.literal('images'), images: list(line(), mostImages) }),
  /** `wholeImages`: it sees whole images, so that there is one crop and never five. */
  z.object({ type: z.literal('classifier'), wholeImages: z.boolean(), classes: list(classLabelSchema, mostClasses) }),
  z.object({ type: z.literal('prediction'), prediction: imagePredictionSchema, thumbnail: picture() }),
  z.object({ type: z.literal('failed'), failed: failedPredictionSchema }),
  z.object({ type: z.literal('explanation'), explanation: explanationSchema }),
  /** The crops side by side, each with its map over it: a JPEG in base64. */
  z.object({ type: z.literal('picture'), jpeg: picture() }),
  /** `picture` is a data URL (JPEG); width and height are the file's own, orientation applied. */
  z.object({ type: z.literal('preview'), picture: picture(), width: z.number().int(), height: z.number().int() }),
  /** `file` keeps it beside the checkpoint, where the disk took it. */
  z.object({ type: z.literal('evaluation'), evaluation: evaluationSchema, file: line().optional() }),
  /** Which checkpoint was tested on how many images of which data, by how many crops, and what became of each expectation. */
  z.object({
    type: z.literal('asserted'),
    checkpoint: line(),
    data: line(),
    crops: cropCountSchema,
    images: count(),
    expectations: list(checkedExpectationSchema, mostListed),
  }),
  z.object({ type: z.literal('calibrated'), calibration: confidenceCalibrationSchema }),
  /** `files` are what was written; `tests` the test images in it, `ofData` how many of them show the data, `isVerified` whether they were run. */
  z.object({
    type: z.literal('exported'),
    files: list(line(), mostListed),
    bytes: count(),
    tests: count(),
    ofData: count(),
    isVerified: z.boolean(),
    accuracy: exportAccuracySchema.optional(),
  }),
  z.object({ type: z.literal('report'), report: dataReportSchema }),
  z.object({ type: z.literal('imported'), imported: importedDataSchema }),
  z.object({ type: z.literal('cleaning'), cleaning: cleaningSchema }),
  /** `images` are those that decode, and were looked at. */
  z.object({
    type: z.literal('suspects'),
    suspects: list(suspectSchema, mostImages),
    images: count(),
    estimatedLabelIssues: count(),
  }),
  z.object({ type: z.literal('map'), map: featureMapSchema }),
  z.object({ type: z.literal('labelling'), labelling: labellingSchema }),
  z.object({ type: z.literal('samples'), samples: samplesSchema }),
  /** `automatic` is what is used if nothing else is asked for, and `reason` why, as the rest of a sentence. */
  z.object({
    type: z.literal('devices'),
    devices: list(deviceOfferSchema, mostListed),
    automatic: z.object({ engine: line(), device: line(), reason: line() }),
  }),
  /** `weightsFolder` is where pretrained weights are kept. */
  z.object({
    type: z.literal('networks'),
    networks: list(networkOfferSchema, mostListed),
    backbones: list(backboneOfferSchema, mostListed),
    weightsFolder: line(),
  }),
  z.object({ type: z.literal('size'), size: dataSizeSchema }),
  /** Images a second that a network classifies, and that a head trains on its kept features. */
  z.object({
    type: z.literal('speed'),
    network: line(),
    imagesPerSecond: z.number().positive(),
    headPerSecond: z.number().positive(),
  }),
  z.object({ type: z.literal('weights'), weights: weightsOutlookSchema }),
  /** `bytesOnDisk` is what is installed or was downloaded for that. */
  z.object({ type: z.literal('cuda'), cuda: cudaOutlookSchema, bytesOnDisk: whole(0, Number.MAX_SAFE_INTEGER) }),
  /** A line for the log: a fallback, a download. */
  z.object({ type: z.literal('log'), level: z.enum(['info', 'warning', 'error']), message: line() }),
  z.object({ type: z.literal('done') }),
  /** The last answer of a request that failed. `user` errors are shown as they are; others are bugs. */
  z.object({ type: z.literal('error'), kind: z.enum(['user', 'cancelled', 'bug']), message: line() }),
]);
export type ServiceAnswerBody = z.infer<typeof serviceAnswerBodySchema>;

export const serviceAnswerSchema = z.object({ id: z.number().int(), answer: serviceAnswerBodySchema });
export type ServiceAnswer = z.infer<typeof serviceAnswerSchema>;

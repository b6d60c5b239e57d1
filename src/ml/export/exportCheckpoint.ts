import { basename, win32 } from 'node:path';
import { type ConfidenceCalibration, temperatureFor } from '../../protocol/confidenceCalibration.ts';
import { cancelled, userError } from '../../protocol/errors.ts';
import {
  type ExportAccuracy,
  exportedNames,
  type ExportForm,
  exportFormatVersion,
  type ExportInput,
  exportKeys,
  type ExportPrecision,
  type ExportTest,
} from '../../protocol/exportFormat.ts';
import { networkName } from '../../protocol/networkName.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import { cropCountFor } from '../data/fiveCrops.ts';
import { onnxEngine } from '../engine/onnxruntime/onnxEngine.ts';
import type { Classifier } from '../inference/classifier.ts';
import { evaluate, type LabelledImage } from '../inference/evaluate.ts';
import { scoresOf } from '../inference/foreignModel.ts';
import { loadClassifier } from '../inference/loadClassifier.ts';
import { tryModel } from '../inference/modelTrial.ts';
import { createScoresClassifier } from '../inference/scoresClassifier.ts';
import { readUsableCheckpoint } from '../inference/usableCheckpoint.ts';
import { halfWeights } from '../onnx/halfWeights.ts';
import { encodeOnnx, type OnnxModel } from '../onnx/onnxModel.ts';
import type { Checkpoint } from '../weights/checkpoint.ts';
import { noDigest, stampDigest } from '../inference/exportDigest.ts';
import { testImages, type WantedTests, withExpectations } from './exportTests.ts';
import { int8Model } from './int8Model.ts';
import { networkModel, type NetworkModel, refuseTooLarge } from './networkModel.ts';
import { runImages } from './runImages.ts';
import type { Verification } from './runTests.ts';
import { verifyExport } from './verifyExport.ts';
import { wholeModel } from './wholeModel.ts';

export interface ExportOptions {
  readonly input: ExportInput;
  /** Crops of each image, where pixels come in. */
  readonly crops: 1 | 5;
  readonly precision: ExportPrecision;
  /** Where pixels come in. */
  readonly tests: WantedTests;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Hears what the user has to know of the file. */
  readonly onNote?: ((sentence: string) => void) | undefined;
  readonly trial?: typeof tryModel;
}

/** A file to be written, and what was found out about it. */
export interface ExportedFile {
  readonly bytes: Uint8Array;
  readonly form: ExportForm;
  /** What came of its test images in our own runtime; undefined for a file of prepared images, which has none. */
  readonly verification?: Verification;
}

const onCpu = { engine: onnxEngine, device: 'cpu' };

/** How far probabilities may be apart between runtimes and processors; in 8 bits one rounds up where another rounds down. */
const tolerances: Readonly<Record<ExportPrecision, number>> = { float32: 1e-4, float16: 1e-4, int8: 0.02 };

/** What is further apart is a fault of ours, or, in 8 bits, of a network in which one step of a map changes much. */
const mostApart: Readonly<Record<ExportPrecision, number>> = { float32: 0.01, float16: 0.01, int8: 0.25 };

/**
 * A checkpoint as an ONNX file for any ONNX Runtime: pixels of any size in and probabilities out, as `predictImages`
 * computes them, with test images and their expected probabilities; or prepared images in and log-probabilities out. A
 * precision below float32 is measured on the run's validation images. Throws as `readUsableCheckpoint` does, a user error
 * for a network that does not fit into a file or the precision, and a cancellation once `signal` is aborted.
 */
export async function exportCheckpoint(file: string, options: ExportOptions): Promise<ExportedFile> {
  refuseTooLarge(file, await readCheckpointMetadata(file));
  const checkpoint = await readUsableCheckpoint(file);
  const { model, form } = await modelAndForm(file, checkpoint, options);
  const { input, precision, tests, onNote = () => undefined } = options;
  const isWhole = input !== 'normalized';
  const testsData = isWhole && tests.ofData && tests.count > 0;
  const valid = precision !== 'float32' || testsData ? await runImages(file, checkpoint, 'valid', options.signal) : [];
  const classifiers: Classifier[] = [];
  const open = async (loading: Promise<Classifier>) => {
    const classifier = await loading;
    classifiers.push(classifier);
    return classifier;
  };
  const original = () => open(loadClassifier({ kind: 'checkpoint', file }, onCpu, trialOf(options)));
  try {
    const own = precision === 'float32' ? undefined : await open(exportClassifier(file, checkpoint, { model, form }));
    const accuracy = own && valid.length > 0 ? await measured([await original(), own], valid, form.crops, options) : undefined; // prettier-ignore
    if (own && !accuracy)
      onNote(`Its accuracy in ${precision} is not known: the run’s validation images are not here.`);
    const whole = { model, form: accuracy ? { ...form, accuracy } : form };
    if (!isWhole) return { bytes: encoded(whole, checkpoint), form: whole.form };
    const files = testsData ? valid.map((image) => image.file) : [];
    const images = await testImages(files, tests.count, checkpoint.metadata.preprocessing.resize);
    const expected = await withExpectations(images, own ?? (await original()), form.crops);
    const draft = withTolerance(whole, mostApart[precision]);
    const found = await verifyExport(basename(file), encoded(draft, checkpoint, expected));
    if (found.failure) throw tooFarApart(precision, found.largest);
    // What the order of sums changes grows with a network's logits.
    const tolerance = Math.max(tolerances[precision], Math.ceil(4e5 * found.largest) / 1e5);
    const proven = withTolerance(whole, tolerance);
    return { bytes: encoded(proven, checkpoint, expected), form: proven.form, verification: { ...found, tolerance } };
  } finally {
    for (const classifier of classifiers) await classifier.dispose();
  }
}

function tooFarApart(precision: ExportPrecision, largest: number): Error {
  if (precision !== 'int8') return new Error(`the exported model’s probabilities are ${largest} from its checkpoint’s`);
  return userError(
    `In 8 bits (int8) probabilities of this network change by ${largest.toFixed(2)} where pixels are rounded otherwise: export in float16 or float32.`,
  );
}

function withTolerance({ model, form }: Exported, tolerance: number): Exported {
  return { model, form: { ...form, tolerance } };
}

function trialOf({ trial }: ExportOptions): { trial?: typeof tryModel } {
  return trial ? { trial } : {};
}

interface Exported {
  readonly model: OnnxModel;
  readonly form: ExportForm;
}

async function modelAndForm(file: string, checkpoint: Checkpoint, options: ExportOptions): Promise<Exported> {
  const { metadata } = checkpoint;
  const { input, precision, trial } = options;
  const crops = input === 'normalized' ? 1 : cropCountFor(metadata.preprocessing.fit, options.crops);
  const calibration = fittingCalibration(metadata.calibration, options);
  const temperature = temperatureFor(calibration, crops)?.value;
  const threshold = calibration?.rejection?.threshold[crops];
  const isWhole = input !== 'normalized';
  const network = await networkModel(file, checkpoint, isWhole ? undefined : temperature, trial);
  const model = await inPrecision(network.model, file, checkpoint, options);
  const { preprocessing, classes, training } = metadata;
  const telling = { crops, classes: classes.length, temperature, threshold };
  return {
    model: isWhole ? wholeModel(model, { layout: input, preprocessing, ...telling }) : model,
    form: {
      version: exportFormatVersion,
      input,
      crops,
      precision,
      network: networkName(metadata.network),
      between: { input: exportedNames.input, output: network.plainOutput },
      ...(temperature === undefined ? {} : { temperature }),
      ...(threshold === undefined ? {} : { threshold }),
      trainedOn: {
        run: training.run,
        // The checkpoint may come from another system, whose paths have other separators.
        folder: win32.basename(training.data),
        method: training.method,
        epoch: training.epoch,
      },
      tolerance: tolerances[precision],
    },
  };
}

/** In 8 bits logits are not those that the temperature was fitted to. */
function fittingCalibration(
  calibration: ConfidenceCalibration | undefined,
  { precision, onNote }: ExportOptions,
): ConfidenceCalibration | undefined {
  if (calibration === undefined || precision !== 'int8') return calibration;
  onNote?.('The temperature and threshold of the checkpoint do not fit 8 bits (int8), so they are left out.');
  return undefined;
}

async function inPrecision(
  model: NetworkModel['model'],
  file: string,
  checkpoint: Checkpoint,
  options: ExportOptions,
): Promise<OnnxModel> {
  if (options.precision === 'float32') return model;
  if (options.precision === 'float16') return halfWeights(model);
  const images = await runImages(file, checkpoint, 'train', options.signal);
  if (images.length > 0) return int8Model(model, images, checkpoint.metadata.preprocessing, options.signal);
  throw userError(
    `8 bits (int8) need the run’s training images to find the ranges of its maps, and they are not here: export in float16, or put ${checkpoint.metadata.training.data} back.`,
  );
}

/** What is exported as a classifier of our own. */
function exportClassifier(file: string, checkpoint: Checkpoint, exported: Exported): Promise<Classifier> {
  const bytes = encoded(exported, checkpoint);
  const { preprocessing, classes, calibration } = checkpoint.metadata;
  const scores = scoresOf({ file, bytes, sha256: '' });
  const fitting = exported.form.precision === 'int8' ? undefined : calibration;
  return createScoresClassifier({ file, scores, preprocessing, labels: classes, calibration: fitting }, onCpu);
}

async function measured(
  classifiers: readonly Classifier[],
  images: readonly LabelledImage[],
  cropCount: 1 | 5,
  { signal, onProgress }: ExportOptions,
): Promise<ExportAccuracy> {
  const found: number[] = [];
  let tested = 0;
  for (const [at, classifier] of classifiers.entries()) {
    const { accuracy, images: count } = await evaluate(classifier, images, {
      cropCount,
      ...(signal ? { signal } : {}),
      onProgress: (done, total) => onProgress?.(at * total + done, classifiers.length * total),
    });
    if (signal?.aborted) throw cancelled();
    found.push(accuracy);
    tested = count;
  }
  const [checkpoint = 0, exported = 0] = found;
  return { images: tested, checkpoint, exported };
}

/** The bytes of the file, stamped with their digest. */
function encoded({ model, form }: Exported, { metadata }: Checkpoint, tests?: readonly ExportTest[]): Uint8Array {
  const values = {
    [exportKeys.preprocessing]: JSON.stringify(metadata.preprocessing),
    [exportKeys.labels]: JSON.stringify(metadata.classes),
    [exportKeys.checkpoint]: JSON.stringify(metadata),
    ...(metadata.licence === undefined ? {} : { [exportKeys.licence]: metadata.licence }),
    [exportKeys.form]: JSON.stringify(form),
    ...(tests ? { [exportKeys.tests]: JSON.stringify(tests) } : {}),
    [exportKeys.digest]: noDigest,
  };
  const bytes = encodeOnnx({
    ...model,
    metadataProps: Object.entries(values).map(([key, value]) => ({ key, value })),
  });
  stampDigest(bytes);
  return bytes;
}

import { basename, dirname, isAbsolute, join, win32 } from 'node:path';
import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import { UserError, userError } from '../../protocol/errors.ts';
import type { InferenceModel } from '../engine/engine.ts';
import { featuresInput, imagesInput, type Network, type OnnxFileReference } from '../networks/network.ts';
import { networkOf } from '../networks/registry.ts';
import type { ClassScores, FeatureChoice, FeatureExtractor } from '../onnx/foreign/featuresAndScores.ts';
import { featuresOf, type OnnxFile, openForeignModel, readOnnxFile, scoresOf } from './foreignModel.ts';
import type { Placement } from './graphClassifier.ts';
import { tryModel } from './modelTrial.ts';
import { normalizeImages } from './normalizeImages.ts';

/** An ONNX file, read and cut off after its features. */
export interface Backbone extends OnnxFile {
  readonly extractor: FeatureExtractor;
}

/** A network, and the ONNX file that it starts from, where it does. */
export interface OpenedNetwork {
  readonly network: Network;
  readonly backbone?: Backbone;
}

/**
 * Cuts an ONNX file off after its features, those of `choice` or else found, for images of `imageSize` pixels where
 * it takes any. Throws a user error where it cannot be used.
 */
export async function openBackbone(
  read: OnnxFile,
  choice: FeatureChoice,
  imageSize: number,
  trial = tryModel,
): Promise<Backbone> {
  await trial(read, { kind: 'features', ...choice }, imageSize);
  return { ...read, extractor: featuresOf(read, choice) };
}

/**
 * The network of a checkpoint, and the ONNX file that it starts from, where it does. Throws a user error where that file
 * is not to be found or cannot be used.
 */
export async function networkOfCheckpoint(
  file: string,
  { network: reference, preprocessing }: Pick<CheckpointMetadata, 'network' | 'preprocessing'>,
  trial = tryModel,
): Promise<OpenedNetwork> {
  const network = networkOf(reference);
  const { onnxFile } = network;
  if (!onnxFile) return { network };
  const found = await findOnnxFile(onnxFile, file);
  const choice = { output: onnxFile.featuresOutput, pool: onnxFile.pool };
  const backbone = await openBackbone(found, choice, preprocessing.crop, trial);
  const { features, imageSize = preprocessing.crop } = backbone.extractor;
  if (features === onnxFile.features && imageSize === preprocessing.crop) return { network, backbone };
  throw userError(
    `${file} says ${onnxFile.features} features of ${preprocessing.crop} pixels, but ${found.file} gives ${features} of ${imageSize}: train again.`,
  );
}

/**
 * Reads the ONNX file that a checkpoint was trained on, known by its hash: where it lay then, beside the checkpoint, or in the run's
 * folder. Nothing else is looked for: a checkpoint comes from anywhere, and what it names is opened only where it is an
 * ordinary file of this machine. Throws a user error where there is none.
 */
async function findOnnxFile(reference: OnnxFileReference, checkpoint: string): Promise<OnnxFile> {
  // The checkpoint may come from another system, whose paths have other separators.
  const name = win32.basename(reference.file);
  const beside = dirname(checkpoint);
  const candidates = [join(beside, name), join(dirname(beside), name)];
  if (isAbsolute(reference.file) && !isOfNetwork(reference.file)) candidates.unshift(reference.file);
  let changed: string | undefined;
  for (const file of candidates) {
    const found = await readOnnxFile(file).catch(() => undefined);
    if (found?.sha256 === reference.sha256) return found;
    if (found !== undefined) changed ??= file;
  }
  const missing = changed
    ? `${changed} is not the file that ${basename(checkpoint)} was trained on`
    : `${basename(checkpoint)} needs the backbone ${reference.file}, which is not there`;
  throw userError(`${missing}; put ${name} with the sha256 ${reference.sha256.slice(0, 16)}… beside the checkpoint.`);
}

/** Opening `\\\\server\\share` would tell that server who we are. */
function isOfNetwork(path: string): boolean {
  return /^[\\/]{2}/u.test(path);
}

/** A backbone ready to run: images, uint8 `[N, 3, S, S]`, become the features that a head's graph is fed with. */
export async function openFeatures(
  { file, extractor }: Backbone,
  preprocessing: CheckpointMetadata['preprocessing'],
  placement: Placement,
): Promise<InferenceModel> {
  const model = await openForeignModel(file, extractor, extractor.features, placement);
  return {
    run: async (feeds) => {
      const images = feeds.get(imagesInput);
      if (images?.dtype !== 'uint8') throw new Error('a backbone is fed with images');
      return new Map([[featuresInput, await model.run(normalizeImages(images, preprocessing))]]);
    },
    in8Bits: () => model.in8Bits(),
    dispose: () => model.dispose(),
  };
}

/** An ONNX file's class scores; undefined if it has features alone. */
export function scoresIn(backbone: Backbone): ClassScores | undefined {
  try {
    return scoresOf(backbone);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { cancelled, messageOf, usageError, userError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import type { Explanation } from '../../protocol/explanation.ts';
import type { CropName, CropPrediction } from '../../protocol/prediction.ts';
import { decodeImage } from '../data/decodeImage.ts';
import { cropImage } from '../data/fiveCrops.ts';
import type { ResizedImage } from '../data/rgbImage.ts';
import { calibrated } from './calibrated.ts';
import type { Classifier } from './classifier.ts';
import { attentionMap, hasAttention } from './attentionMap.ts';
import type { ActivationMap } from './classGradient.ts';
import { gradCam, hasFeatureMap } from './gradCam.ts';
import type { Placement } from './graphClassifier.ts';
import { type ClassifierSource, loadClassifier, type LoadOptions } from './loadClassifier.ts';
import { occlusionMap } from './occlusion.ts';
import { batchOf, probabilityRows, resizeFor } from './predictImages.ts';
import { meanProbabilities, rankClasses } from './ranking.ts';

export interface ExplainWish {
  readonly cropCount: 1 | 5;
  /** Short side before the crops; the classifier's own without it. */
  readonly resize?: number;
  /** A class by its name, its folder, or its index; the likeliest by the mean of the crops without it. */
  readonly className?: string;
  /** The same by its index alone. */
  readonly classIndex?: number;
  readonly signal?: AbortSignal;
  /** Hears how many of the crops are explained, with the share of the present one. */
  readonly onProgress?: (done: number, total: number) => void;
}

export type ExplainOptions = ExplainWish & Pick<LoadOptions, 'log'>;

export interface ExplainedCrop {
  readonly crop: CropName;
  /** Probability of the class in this crop. */
  readonly probability: number;
  readonly map: ActivationMap;
  /** Where the map lies, in pixels of the original image; with the fit `pad` beyond its edges. */
  readonly frame: CropPrediction['frame'];
  /** `[3, size, size]`, 8 bits, R, G, B. */
  readonly pixels: Uint8Array;
}

export interface ExplainedImage {
  readonly label: ClassLabel;
  /** Mean over the crops. */
  readonly probability: number;
  readonly method: Explanation['method'];
  /** Side of the crops in pixels. */
  readonly size: number;
  readonly crops: readonly ExplainedCrop[];
}

/**
 * Says where in an image a class was seen: by Grad-CAM where the network is ours and pools a feature map, by
 * gradient-weighted attention where all its tokens see each other, by occlusion for any other. Throws as `loadClassifier` and `decodeImage` do, and a usage error for a class that there is not.
 */
export async function explainImage(
  image: string,
  source: ClassifierSource,
  placement: Placement,
  options: ExplainOptions,
): Promise<ExplainedImage> {
  const { log, signal } = options;
  const loading = { ...(log ? { log } : {}), ...(signal ? { signal } : {}) };
  const classifier = await loadClassifier(source, placement, loading);
  try {
    return await explain(image, classifier, placement, options);
  } finally {
    await classifier.dispose();
  }
}

/** The same with a classifier that is loaded. Throws also a cancellation once `signal` is aborted. */
export async function explain(
  image: string,
  classifier: Classifier,
  placement: Placement,
  { cropCount, resize, className, classIndex, signal, onProgress }: ExplainWish,
): Promise<ExplainedImage> {
  const { preprocessing } = classifier;
  const { crop: size, fit } = preprocessing;
  const crops = cropImage(await decoded(image, resizeFor(preprocessing, resize), preprocessing), size, cropCount, fit);
  const pixels = crops.map((crop) => crop.pixels);
  const rows = await probabilityRows(classifier, pixels);
  const mean = meanProbabilities(rows);
  const position = positionWanted(mean, classifier.labels, { className, classIndex });
  const label = classifier.labels[position];
  if (!label) throw new Error('the class has no label');
  if (signal?.aborted) throw cancelled();
  const method = methodFor(classifier);
  const maps = await mapsBy(method, { classifier, placement, pixels, position, signal, onProgress });
  onProgress?.(crops.length, crops.length);
  return {
    ...{ label, size, probability: calibrated(mean, classifier, rows.length)[position] ?? 0 },
    method,
    crops: crops.map(({ name, pixels, shown }, at) => ({
      ...{ crop: name, pixels, frame: shown },
      probability: calibrated(rows[at] ?? new Float32Array(), classifier, 1)[position] ?? 0,
      map: maps[at] ?? [],
    })),
  };
}

/** By gradients where the network is ours: of its last feature map, or of the attention of all its tokens to each other. */
function methodFor({ graph }: Classifier): Explanation['method'] {
  if (graph === undefined || graph.features) return 'occlusion';
  const forward = graph.graphFor(1);
  if (hasFeatureMap(forward)) return 'grad-cam';
  return hasAttention(forward) ? 'attention' : 'occlusion';
}

interface Explaining {
  readonly classifier: Classifier;
  readonly placement: Placement;
  readonly pixels: readonly Uint8Array[];
  /** Column of the class in the classifier's output. */
  readonly position: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ExplainWish['onProgress'] | undefined;
}

async function mapsBy(method: Explanation['method'], explaining: Explaining): Promise<readonly ActivationMap[]> {
  const { classifier, placement, pixels, position, signal, onProgress } = explaining;
  const { graph, preprocessing } = classifier;
  const size = preprocessing.crop;
  const positions = pixels.map(() => position);
  if (graph && method === 'grad-cam') return gradCam(graph, batchOf(pixels, size), positions, placement);
  if (graph && method === 'attention') {
    return attentionMap(graph, batchOf(pixels, size), positions, placement, {
      signal,
      onProgress: (done) => onProgress?.(done, pixels.length),
    });
  }
  return inTurn(pixels, (each, at) =>
    occlusionMap(classifier, each, size, position, {
      signal,
      onProgress: (share) => onProgress?.(at + share, pixels.length),
    }),
  );
}

/** An image, or a user error that names the one which does not decode. */
async function decoded(
  image: string,
  side: number,
  { interpolation, fit }: Pick<Preprocessing, 'interpolation' | 'fit'>,
): Promise<ResizedImage> {
  return decodeImage(image, side, { interpolation, fit }).catch((error: unknown) => {
    throw userError(`${image} cannot be used. ${messageOf(error)}`, error);
  });
}

function likeliest(mean: Float64Array, labels: readonly ClassLabel[]): number {
  const [first] = rankClasses(mean, labels, 1);
  return labels.findIndex(({ index }) => index === first?.index);
}

function positionWanted(
  mean: Float64Array,
  labels: readonly ClassLabel[],
  { className, classIndex }: { readonly className: string | undefined; readonly classIndex: number | undefined },
): number {
  if (classIndex !== undefined) return labels.findIndex(({ index }) => index === classIndex);
  return className === undefined ? likeliest(mean, labels) : positionOf(className, labels);
}

function positionOf(name: string, labels: readonly ClassLabel[]): number {
  const small = name.toLowerCase();
  const is = [
    (label: ClassLabel) => label.name.toLowerCase() === small,
    (label: ClassLabel) => label.folder === name,
    (label: ClassLabel) => String(label.index) === name,
  ];
  for (const matches of is) {
    const position = labels.findIndex(matches);
    if (position >= 0) return position;
  }
  throw usageError(
    `There is no class "${name}": name one of ${labels
      .slice(0, 5)
      .map((label) => label.name)
      .join(', ')}, … or its index.`,
  );
}

async function inTurn<Item, Result>(
  items: readonly Item[],
  each: (item: Item, at: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [at, item] of items.entries()) results.push(await each(item, at));
  return results;
}

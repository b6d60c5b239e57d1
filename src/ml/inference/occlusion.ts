import { cancelled } from '../../protocol/errors.ts';
import type { Classifier } from './classifier.ts';
import { type ActivationMap, scaledRows } from './classGradient.ts';
import { probabilityRows } from './predictImages.ts';

/** Places along a side at which a crop is covered. */
const places = 14;
/** Side of what covers it, in places. */
const covered = 3;
/** Covered crops that are classified at a time. */
const batchSize = 14;
/** A grey that most networks were trained to see as nothing: ImageNet's mean in 8 bits. */
const grey = [124, 116, 104] as const;

export interface OcclusionOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears which share of the places has been covered. */
  readonly onProgress?: (share: number) => void;
}

/**
 * Where a class was seen, for any classifier (Zeiler and Fergus 2014): how much its probability falls when a grey square
 * covers a place, scaled to a maximum of 1. `pixels` are planes `[3, size, size]`, 8 bits. Throws a
 * cancellation once `signal` is aborted.
 */
export async function occlusionMap(
  classifier: Classifier,
  pixels: Uint8Array,
  size: number,
  classPosition: number,
  { signal, onProgress }: OcclusionOptions = {},
): Promise<ActivationMap> {
  const [unharmed = 0] = await probabilitiesOf(classifier, [pixels], classPosition);
  const crops = Array.from({ length: places * places }, (_, place) =>
    withSquare(pixels, size, Math.floor(place / places), place % places),
  );
  const falls: number[] = [];
  for (let from = 0; from < crops.length; from += batchSize) {
    if (signal?.aborted) throw cancelled();
    const batch = crops.slice(from, from + batchSize);
    const left = await probabilitiesOf(classifier, batch, classPosition);
    falls.push(...left.map((probability) => Math.max(0, unharmed - probability)));
    onProgress?.(falls.length / crops.length);
  }
  return scaledRows(falls, places);
}

async function probabilitiesOf(
  classifier: Classifier,
  crops: readonly Uint8Array[],
  position: number,
): Promise<number[]> {
  return (await probabilityRows(classifier, crops)).map((row) => row[position] ?? 0);
}

function withSquare(pixels: Uint8Array, size: number, row: number, column: number): Uint8Array {
  const crop = pixels.slice();
  const edges = (place: number) => {
    const centre = ((place + 0.5) * size) / places;
    const half = (covered * size) / places / 2;
    return [Math.max(0, Math.round(centre - half)), Math.min(size, Math.round(centre + half))] as const;
  };
  const [[top, bottom], [left, right]] = [edges(row), edges(column)];
  grey.forEach((level, plane) => {
    for (let y = top; y < bottom; y++)
      crop.fill(level, plane * size * size + y * size + left, plane * size * size + y * size + right);
  });
  return crop;
}

import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import type { Finding } from '../../protocol/dataReport.ts';
import { someOf } from '../../protocol/someOf.ts';
import type { Dataset } from './scanDataset.ts';

/** Images that were found, and those of them that can be read as far as is known. */
export interface ImageCount {
  readonly found: number;
  readonly readable: number;
}

export interface TrainableCounts {
  /** Train images of each class. */
  readonly classes: readonly (ClassLabel & { readonly train: ImageCount })[];
  readonly valid: ImageCount;
  /** Share of the images that was to serve for validation. */
  readonly validShare: number;
}

/** Counts of a data set of which every image is taken to be readable. */
export function countsOf({ classes, splits, validShare }: Dataset): TrainableCounts {
  const train = new Uint32Array(classes.length);
  for (const { classIndex } of splits.train) train[classIndex] = (train[classIndex] ?? 0) + 1;
  const all = (found: number): ImageCount => ({ found, readable: found });
  return {
    classes: classes.map((label, at) => ({ ...label, train: all(train[at] ?? 0) })),
    valid: all(splits.valid.length),
    validShare,
  };
}

/** What is the case, and what to do about it. */
export interface Untrainable extends Pick<Finding, 'what'> {
  readonly todo: string;
}

/**
 * Why a data set cannot be trained on, and what to do; undefined where it can be. `train` refuses by it and `check` ends
 * with 1 by it, so that both say the same.
 */
export function whyUntrainable({ classes, valid, validShare }: TrainableCounts): Untrainable | undefined {
  if (classes.every(({ train }) => train.found === 0)) {
    return { what: 'There are no images to train on.', todo: 'Put some into train/<class>/.' };
  }
  const empty = classes.filter(({ train }) => train.found === 0).map(({ name }) => name);
  if (empty.length > 0) {
    return {
      what: `No train images for ${countOf(empty)}, which can never be predicted right.`,
      todo: `Add some, or remove the ${empty.length === 1 ? 'folder' : 'folders'}.`,
    };
  }
  const broken = classes.filter(({ train }) => train.readable === 0).map(({ name }) => name);
  if (broken.length > 0) {
    return {
      what: `None of the train images of ${countOf(broken)} can be read.`,
      todo: `Replace them, or remove the ${broken.length === 1 ? 'folder' : 'folders'}.`,
    };
  }
  if (valid.found === 0) {
    return validShare === 0
      ? {
          what: 'There are no validation images, since validShare (--valid-share) is 0.',
          todo: 'Raise it, or add valid/<class>/ folders.',
        }
      : {
          what: 'There are no validation images, since no class has two images to train and validate on.',
          todo: 'Add images.',
        };
  }
  if (valid.readable > 0) return undefined;
  return { what: 'None of the validation images can be read.', todo: 'Replace them.' };
}

function countOf(names: readonly string[]): string {
  return `${names.length} ${names.length === 1 ? 'class' : 'classes'} (${someOf(names)})`;
}

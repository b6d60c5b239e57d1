import type { SplitName } from '../../protocol/dataReport.ts';
import { UserError } from '../../protocol/errors.ts';
import type { LabelledImage } from '../inference/evaluate.ts';
import { imagesToTest } from '../inference/imagesToTest.ts';
import type { Checkpoint } from '../weights/checkpoint.ts';

/** The images of a split of a checkpoint's run; none where they are not at hand. */
export async function runImages(
  file: string,
  { metadata: { classes, training } }: Checkpoint,
  split: SplitName,
  signal?: AbortSignal,
): Promise<readonly LabelledImage[]> {
  const request = { checkpoint: file, data: training.data, split, classes, ...(signal ? { signal } : {}) };
  try {
    return (await imagesToTest(request)).samples;
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}

import * as z from 'zod';
import { path, text, whole } from '../protocol/bounded.ts';
import { splitNames } from '../protocol/dataReport.ts';
import { layouts } from '../protocol/trainingConfig.ts';

/*
 * Inputs that several tools have.
 */

export const dataInput = path().describe(
  'Folder of images, relative to the workspace: train/valid/test with a folder for each class inside, or a folder for each class, which is then split.',
);

export const runInput = text(1000, 1).describe(
  'Name of a run, as list_runs and train_classifier tell it, whose best checkpoint is taken; or the path of a checkpoint in the workspace.',
);

export const layoutInput = z
  .enum(layouts)
  .default('auto')
  .describe('What the folders of the data are: splits (train and the like) or classes. auto decides by their names.');

export const splitInput = z.enum(splitNames).default('test').describe('Which images: test, valid or train.');

export const cropsInput = z
  .union([z.literal(1), z.literal(5)], 'expected 1 or 5')
  .describe('1 looks at the center crop of each image, 5 at the mean of five crops.');

/** How many items of a list are told, at most 200. */
export function limitInput(usual: number) {
  return whole(1, 200).default(usual).describe('How many items of each list are told.');
}

import { join } from 'node:path';
import { readdir } from 'node:fs/promises';
import { findingText, type SplitName, splitNames } from '../../protocol/dataReport.ts';
import { isImageFile } from '../../protocol/imageFiles.ts';
import { isPassedOver } from '../../protocol/passedOver.ts';
import { splitOfFolder } from '../../protocol/splitFolders.ts';
import type { Layout } from '../../protocol/trainingConfig.ts';
import { pathIn } from '../data/pathIn.ts';
import { scanDataset } from '../data/scanDataset.ts';
import { isFlowersFile, isNumbered } from './flowersImages.ts';
import { createLeft, type FoundImages, type LabelledImage } from './labelledImage.ts';

/**
 * The images of a folder whose folders say the classes, and the splits where they do, as training reads them: torchvision's,
 * Keras' and the hub's layouts. Throws a user error as `scanDataset` does.
 */
export async function folderImages(root: string, layout: Layout): Promise<FoundImages> {
  const dataset = await scanDataset(root, { validShare: 0, testShare: 0, seed: 0, layout });
  const { classes, splits, splitBy, withoutClass, notImages, notes } = dataset;
  const splitOf = (split: SplitName) => (splitBy === 'folders' ? split : undefined);
  const images = splitNames.flatMap((split) =>
    splits[split].map(({ file, classIndex }): LabelledImage => {
      return { file, label: classes[classIndex]?.folder ?? '', split: splitOf(split) };
    }),
  );
  const left = createLeft();
  for (const file of withoutClass) left.add('in no class folder', pathIn(root, file));
  for (const file of notImages) left.add('not an image by its name', pathIn(root, file));
  const names = new Map(classes.flatMap(({ folder, name }) => (folder === name ? [] : [[folder, name] as const])));
  return { images, left: left.all(), notes: notes.map(findingText), names };
}

/** The folder itself, or the only one in it that has anything in it, and so on: archives often hold one folder. */
export async function innermostFolder(folder: string): Promise<string> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !isPassedOver(name));
  const folders = entries.filter((entry) => entry.isDirectory());
  const [only] = folders;
  if (only === undefined || folders.length > 1 || splitOfFolder(only.name) !== undefined) return folder;
  // What lies beside it may be a table that names what is in it.
  const beside = entries.filter((entry) => entry.isFile() && (isImageFile(entry.name) || !isNote(entry.name)));
  const inner = join(folder, only.name);
  if (beside.some(({ name }) => !isFlowersFile(name))) return folder;
  if (beside.length > 0 && (await readdir(inner)).some(isNumbered)) return folder;
  return innermostFolder(inner);
}

/** A file that only people read. */
function isNote(name: string): boolean {
  return /^(?:readme|licen[cs]e|copying|citation|changelog)(?:\..*)?$/iu.test(name);
}

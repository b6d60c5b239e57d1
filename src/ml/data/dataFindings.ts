import { type DataReport, type Finding, unevenClasses } from '../../protocol/dataReport.ts';
import { plural } from '../../protocol/plural.ts';
import { someOf } from '../../protocol/someOf.ts';
import type { Untrainable } from './whyUntrainable.ts';

type Counted = Omit<DataReport, 'findings'>;

/** Fewer train images than this in a class are said. */
export const fewImages = 10;

export interface OtherFacts {
  /** What the scan has to say. */
  readonly notes: readonly Finding[];
  /** Images that lie in no class folder. */
  readonly withoutClass: readonly string[];
  /** Why nothing can be trained, where nothing can. */
  readonly untrainable: Untrainable | undefined;
}

/** What a user should know before training, the gravest first. */
export function dataFindings(counted: Counted, { notes, withoutClass, untrainable }: OtherFacts): Finding[] {
  const rules = [acrossClasses, acrossSplits, emptyTest, imbalance, fewToLearnFrom, unnamed];
  const findings: Finding[] = [
    ...(untrainable === undefined ? [] : [{ level: 'error', ...untrainable } as const]),
    ...lying(withoutClass),
    ...undecodable(counted, withoutClass),
    ...rules.flatMap((rule) => rule(counted)),
    ...notes,
  ];
  const rank = { error: 0, warning: 1, info: 2 };
  return findings.sort((a, b) => rank[a.level] - rank[b.level]);
}

/** Files of one picture; one that stands for lost ones may lie in a data set thousands of times. */
function copies({ files, same }: Counted['duplicates'][number]): string {
  return someOf(files, 3, same === 'file' ? ' = ' : ' ≈ ');
}

/** How many images lie in more than one place, how many of them re-encoded, and the first of them. */
function copiedImages(groups: Counted['duplicates'], place: string): string {
  const anew = groups.filter(({ same }) => same === 'picture').length;
  const what = groups.length === 1 ? '1 image is' : `${groups.length} images are`;
  const how = anew === 0 ? '' : groups.length === 1 ? ', re-encoded' : `, ${anew} of them re-encoded`;
  return `${what} in more than one ${place}${how} (${someOf(groups.map(copies))})`;
}

function lying(images: readonly string[]): Finding[] {
  if (images.length === 0) return [];
  const which = images.length === 1 ? '1 image is not in a class folder and is' : `${images.length} images are not in a class folder and are`; // prettier-ignore
  const what = `${which} left out (${someOf(images)}).`;
  return [{ level: 'warning', what, todo: 'Move each into the folder of its class.' }];
}

function undecodable({ undecodable: all }: Counted, withoutClass: readonly string[]): Finding[] {
  const counted = new Set(withoutClass);
  const files = all.filter(({ file }) => !counted.has(file));
  if (files.length === 0) return [];
  const paths = someOf(files.map(({ file }) => file));
  const what = `${plural(files.length, 'file')} cannot be used and ${files.length === 1 ? 'is' : 'are'} left out (${paths}).`;
  return [{ level: 'warning', what, todo: 'Replace or remove the files in the list of reasons.' }];
}

function acrossClasses({ duplicates }: Counted): Finding[] {
  const groups = duplicates.filter((group) => group.acrossClasses);
  if (groups.length === 0) return [];
  const what = `${copiedImages(groups, 'class')}.`;
  return [{ level: 'warning', what, todo: 'Keep each in the right class only.' }];
}

function acrossSplits({ duplicates }: Counted): Finding[] {
  const groups = duplicates.filter((group) => group.acrossSplits);
  if (groups.length === 0) return [];
  const what = `${copiedImages(groups, 'split')}, which makes accuracy look better than it is.`;
  return [{ level: 'warning', what, todo: 'Remove the copies from train.' }];
}

function emptyTest({ images }: Counted): Finding[] {
  if (images.test > 0) return [];
  const todo = 'Add test/<class>/ folders to measure accuracy on images that no choice was based on.';
  return [{ level: 'info', what: 'There are no test images.', todo }];
}

function imbalance(counted: Counted): Finding[] {
  const uneven = unevenClasses(counted);
  if (!uneven) return [];
  const { smallest, largest } = uneven;
  const what = `Classes are imbalanced: ${largest.name} has ${largest.train} train images, ${smallest.name} has ${smallest.train}.`;
  return [{ level: 'warning', what, todo: 'Add images, or train with balanced class weights.' }];
}

function fewToLearnFrom({ classes }: Counted): Finding[] {
  const few = classes.filter(({ train }) => train > 0 && train < fewImages).map(({ name }) => name);
  if (few.length === 0) return [];
  const which = few.length === 1 ? '1 class has' : `${few.length} classes have`;
  const what = `${which} fewer than ${fewImages} train images (${someOf(few)}).`;
  return [{ level: 'info', what, todo: 'Add some for a reliable result.' }];
}

function unnamed({ classes }: Counted): Finding[] {
  const nameless = classes.filter(({ folder, name }) => folder === name).map(({ folder }) => folder);
  if (nameless.length === 0 || nameless.length === classes.length) return [];
  const which =
    nameless.length === 1
      ? '1 class is named after its folder'
      : `${nameless.length} classes are named after their folders`;
  const what = `${which} (${someOf(nameless)}), because the file of class names does not have ${nameless.length === 1 ? 'it' : 'them'}.`;
  return [{ level: 'info', what, todo: 'Add what is missing.' }];
}

import type { DataReport, Finding } from '../../protocol/dataReport.ts';
import { plural } from '../../protocol/plural.ts';
import { someOf } from '../../protocol/someOf.ts';

type Counted = Omit<DataReport, 'findings'>;

/** The largest class has at most so many times the train images of the smallest before a warning. */
export const imbalanceLimit = 5;
/** Fewer train images than this in a class are said. */
export const fewImages = 10;

export interface OtherFacts {
  /** What the scan has to say. */
  readonly notes: readonly Finding[];
  /** Images that lie in no class folder. */
  readonly withoutClass: readonly string[];
  /** Why nothing can be trained, where nothing can. */
  readonly untrainable: string | undefined;
}

/** What a user should know before training, the gravest first; each sentence says what to do. */
export function dataFindings(counted: Counted, { notes, withoutClass, untrainable }: OtherFacts): Finding[] {
  const rules = [acrossClasses, acrossSplits, emptyTest, imbalance, fewToLearnFrom, unnamed];
  const findings: Finding[] = [
    ...(untrainable === undefined ? [] : [{ level: 'error', message: untrainable } as const]),
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
  const what = groups.length === 1 ? '1 image lies' : `${groups.length} images lie`;
  const how = anew === 0 ? '' : groups.length === 1 ? ', re-encoded' : `, ${anew} of them re-encoded`;
  return `${what} in more than one ${place}${how} (${someOf(groups.map(copies))})`;
}

function lying(images: readonly string[]): Finding[] {
  if (images.length === 0) return [];
  const what = images.length === 1 ? '1 image lies in no class folder and is' : `${images.length} images lie in no class folder and are`; // prettier-ignore
  const message = `${what} left out (${someOf(images)}); move each into the folder of its class.`;
  return [{ level: 'warning', message }];
}

function undecodable({ undecodable: all }: Counted, withoutClass: readonly string[]): Finding[] {
  const counted = new Set(withoutClass);
  const files = all.filter(({ file }) => !counted.has(file));
  if (files.length === 0) return [];
  const paths = someOf(files.map(({ file }) => file));
  const message = `${plural(files.length, 'file')} cannot be used and ${files.length === 1 ? 'is' : 'are'} left out (${paths}); replace or remove what the list of reasons names.`;
  return [{ level: 'warning', message }];
}

function acrossClasses({ duplicates }: Counted): Finding[] {
  const groups = duplicates.filter((group) => group.acrossClasses);
  if (groups.length === 0) return [];
  return [{ level: 'warning', message: `${copiedImages(groups, 'class')}; keep each in the right class only.` }];
}

function acrossSplits({ duplicates }: Counted): Finding[] {
  const groups = duplicates.filter((group) => group.acrossSplits);
  if (groups.length === 0) return [];
  const message = `${copiedImages(groups, 'split')}, which makes accuracy look better than it is; remove the copies from train.`;
  return [{ level: 'warning', message }];
}

function emptyTest({ images }: Counted): Finding[] {
  if (images.test > 0) return [];
  const message =
    'There are no test images; add test/<class>/ folders to measure on images that no choice was made by.';
  return [{ level: 'info', message }];
}

function imbalance({ classes }: Counted): Finding[] {
  const trained = classes.filter(({ train }) => train > 0).sort((a, b) => a.train - b.train);
  const smallest = trained[0];
  const largest = trained.at(-1);
  if (!smallest || !largest || largest.train <= imbalanceLimit * smallest.train) return [];
  const message = `Classes are uneven: ${largest.name} has ${largest.train} train images, ${smallest.name} has ${smallest.train}; add images, or train with balanced class weights.`;
  return [{ level: 'warning', message }];
}

function fewToLearnFrom({ classes }: Counted): Finding[] {
  const few = classes.filter(({ train }) => train > 0 && train < fewImages).map(({ name }) => name);
  if (few.length === 0) return [];
  const what = few.length === 1 ? '1 class has' : `${few.length} classes have`;
  const message = `${what} fewer than ${fewImages} train images (${someOf(few)}); add some for a dependable result.`;
  return [{ level: 'info', message }];
}

function unnamed({ classes }: Counted): Finding[] {
  const nameless = classes.filter(({ folder, name }) => folder === name).map(({ folder }) => folder);
  if (nameless.length === 0 || nameless.length === classes.length) return [];
  const what = nameless.length === 1 ? '1 class goes by its folder' : `${nameless.length} classes go by their folders`;
  const message = `${what} (${someOf(nameless)}), since the file of class names lacks ${nameless.length === 1 ? 'it' : 'them'}; add what is missing.`;
  return [{ level: 'info', message }];
}

import { type ComparedClass, type Comparison, lossesCompare } from './compareEvaluations.ts';
import { csv } from './csv.ts';
import { type DifferingSetting, settingWords } from './differingSettings.ts';
import { plural } from './plural.ts';
import type { SplitName } from './dataReport.ts';

/** A comparison of runs and what is to be known of it. */
export interface ComparedRuns {
  readonly comparison: Comparison;
  /** Settings that differ, in the order of the runs. */
  readonly settings: readonly DifferingSetting[];
  readonly split: SplitName;
  /** What the networks saw of each image: `the center crop`, `five crops`. */
  readonly seen: string;
}

/** A table of texts. */
export interface TextTable {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export const reportFormats = ['markdown', 'csv', 'json'] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** Above the tables: on which images, and what is left out. */
export function comparisonNotes({ comparison, split, seen }: ComparedRuns): string[] {
  const { images, notCommon, figures } = comparison;
  const left = notCommon > 0 ? `; ${notCommon} that only some were tested on are left out` : '';
  return [
    `${plural(images, `${split} image`)}, ${seen}${left}`,
    ...(lossesCompare(figures) ? [] : ['Losses are left out: some runs have a temperature and others have none, so their losses cannot be compared. Calibrate all of them, or none.']), // prettier-ignore
  ];
}

/** Results, McNemar's tests, classes that differ, and settings that differ. */
export function comparisonTables({ comparison, settings }: ComparedRuns): TextTable[] {
  const { names, figures, pairs, classes } = comparison;
  const name = (place: number) => names[place] ?? '';
  const hasLosses = lossesCompare(figures);
  const adjusted = pairs.length > 1;
  const tables: TextTable[] = [
    {
      title: 'Results',
      header: ['run', 'accuracy', '95% interval', 'macro F1', ...(hasLosses ? ['loss'] : [])],
      rows: figures.map(({ accuracy, interval, macro, loss }, place) => [
        name(place),
        accuracy.toFixed(4),
        `${interval.low.toFixed(4)} to ${interval.high.toFixed(4)}`,
        macro.f1.toFixed(4),
        ...(hasLosses ? [loss.toFixed(4)] : []),
      ]),
    },
    {
      title: 'McNemar’s exact test',
      header: ['first', 'second', 'both right', 'only first', 'only second', 'both wrong', 'p', ...(adjusted ? ['adjusted p'] : [])], // prettier-ignore
      rows: pairs.map(({ first, second, both, onlyFirst, onlySecond, neither, p, adjustedP }) => [
        ...[name(first), name(second)],
        ...[both, onlyFirst, onlySecond, neither].map(String),
        ...(adjusted ? [p, adjustedP] : [p]).map((value) => value.toPrecision(3)),
      ]),
    },
    {
      title: 'Recall of the classes that differ',
      header: ['class', 'name', 'images', ...names],
      rows: differingClasses(classes).map(({ folder, name: title, images, right }) => [
        ...[folder, title, String(images)],
        ...right.map((number) => (number / images).toFixed(4)),
      ]),
    },
    {
      title: 'Settings that differ',
      header: ['setting', ...names],
      rows: settings.map(({ setting, values }) => [settingWords(setting), ...values]),
    },
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

/** The classes of which the classifiers get different numbers right, those that they differ in most first. */
export function differingClasses(classes: readonly ComparedClass[]): ComparedClass[] {
  const spread = ({ right, images }: ComparedClass) => (Math.max(...right) - Math.min(...right)) / images;
  return classes.filter((each) => spread(each) > 0).sort((a, b) => spread(b) - spread(a) || b.images - a.images);
}

/** The whole comparison as a file's content. Only CSV and JSON name the images that some got right and others wrong. */
export function comparisonReport(format: ReportFormat, about: ComparedRuns): string {
  switch (format) {
    case 'markdown':
      return markdown(about);
    case 'csv':
      return [notesTable(about), ...comparisonTables(about), disputedTable(about.comparison)]
        .map(({ header, rows }) => csv([header, ...rows]))
        .join('\r\n');
    case 'json':
      return `${JSON.stringify(comparisonObject(about), undefined, 2)}\n`;
  }
}

/** The same as one object, with every image that some got right and others wrong. */
export function comparisonObject({ comparison, settings, split, seen }: ComparedRuns): object {
  return { split, seen, settings, ...comparison };
}

function markdown(about: ComparedRuns): string {
  const { names } = about.comparison;
  const tables = comparisonTables(about).map(
    ({ title, header, rows }) =>
    [`## ${title}`, '', ...[header.map(markdownText), header.map(() => '---'), ...rows.map((row) => row.map(markdownText))].map((row) => `| ${row.join(' | ')} |`)].join('\n'), // prettier-ignore
  );
  const adjusted = about.comparison.pairs.length > 1;
  const meaning = `p is how likely such a difference is if both were equally good${adjusted ? '; the adjusted p, by Holm’s method, is the one to judge several pairs by' : ''}.`;
  return `${[`# Comparison of ${names.map(markdownText).join(', ')}`, ...comparisonNotes(about), ...tables, meaning].join('\n\n')}\n`;
}

/** Text that Markdown shows as it is, in one line. */
function markdownText(text: string): string {
  return text.replaceAll(/[\\|`*<[\]]/gu, String.raw`\$&`).replaceAll(/\s+/gu, ' ');
}

/** For whoever has only the file. */
function notesTable(about: ComparedRuns): TextTable {
  return { title: 'Images', header: ['tested on'], rows: comparisonNotes(about).map((note) => [note]) };
}

function disputedTable({ names, disputed }: Comparison): TextTable {
  return {
    title: 'Images that some got right and others wrong',
    header: ['image', 'class', ...names],
    rows: disputed.map(({ image, actual, predicted }) => [image, actual, ...predicted]),
  };
}

import * as l10n from '@vscode/l10n';
import type { DataReport } from '../../protocol/dataReport.ts';
import { someOf } from '../../protocol/someOf.ts';
import { inCode, inMarkdown } from '../plainText.ts';

/** Lines of a list and files of a line that the report shows: a preview of ten thousand takes seconds to appear. */
const shownLines = 1000;
const shownCopies = 20;

/** The data check's report as Markdown: what was found, what to do, and the lists. */
export function dataReportText(report: DataReport): string {
  const { data, images, classes, splitBy, findings, undecodable, duplicates } = report;
  const { train, valid, test } = images;
  const counts =
    splitBy === 'folders'
      ? l10n.t('{0} images to train on, {1} for validation, {2} for testing, split by its folders.', train, valid, test)
      : l10n.t('{0} images to train on, {1} for validation, {2} for testing, split by seed.', train, valid, test);
  const headings = [l10n.t('folder'), l10n.t('name'), 'train', 'valid', 'test'];
  const sections = [
    [`# ${inMarkdown(data)}`, '', counts, ''],
    findings.length === 0
      ? [l10n.t('The data is ready for training.'), '']
      : [...findings.map(({ level, message }) => `- **${level}**: ${inMarkdown(message)}`), ''],
    list(
      l10n.t('Unreadable images'),
      undecodable.map(({ file, reason }) => `${inCode(file)}: ${inMarkdown(reason)}`),
    ),
    list(l10n.t('Identical files'), copies(duplicates, 'file', ' = ')),
    list(l10n.t('The same picture, re-encoded'), copies(duplicates, 'picture', ' ≈ ')),
    [`## ${l10n.t('Classes')}`, '', `| ${headings.join(' | ')} |`, '|:--|:--|--:|--:|--:|'],
    classes
      .slice(0, shownLines)
      .map(
        ({ folder, name, train, valid, test }) =>
          `| ${inMarkdown(folder)} | ${inMarkdown(name)} | ${train} | ${valid} | ${test} |`,
      ),
    more(classes.length),
  ];
  return `${sections.flat().join('\n')}\n`;
}

function copies(duplicates: DataReport['duplicates'], wanted: 'file' | 'picture', separator: string): string[] {
  const groups = duplicates.filter(({ same }) => same === wanted);
  return groups.map(({ files }) => someOf(files.map(inCode), shownCopies, separator));
}

function list(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [`## ${title}`, '', ...lines.slice(0, shownLines).map((line) => `- ${line}`), ...more(lines.length), ''];
}

function more(lines: number): string[] {
  if (lines <= shownLines) return [];
  return ['', l10n.t('And {0} more, which {1} lists.', lines - shownLines, '`fivecrop check --json`')];
}

/** Whether the largest class has more than five times the train images of the smallest, which class weights answer. */
export function isUneven({ classes }: Pick<DataReport, 'classes'>): boolean {
  const counts = classes.map(({ train }) => train).filter((count) => count > 0);
  counts.sort((a, b) => a - b);
  return (counts.at(-1) ?? 0) > 5 * (counts[0] ?? 0);
}

/** The two halves of a finding: what is the case, and what to do about it, where it says so. */
export function halvesOf(message: string): { readonly what: string; readonly todo?: string } {
  const at = message.lastIndexOf('; ');
  if (at < 0) return { what: message };
  const todo = message.slice(at + 2);
  return { what: message.slice(0, at), todo: todo.slice(0, 1).toUpperCase() + todo.slice(1) };
}

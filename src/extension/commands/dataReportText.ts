import * as l10n from '@vscode/l10n';
import { type DataReport, findingText } from '../../protocol/dataReport.ts';
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
  const headings = [l10n.t('class'), 'train', 'valid', 'test'];
  const sections = [
    [`# ${inMarkdown(data)}`, '', counts, ''],
    findings.length === 0
      ? [l10n.t('The data is ready for training.'), '']
      : [...findings.map((finding) => `- **${finding.level}**: ${inMarkdown(findingText(finding))}`), ''],
    list(
      l10n.t('Unreadable images'),
      undecodable.map(({ file, reason }) => `${inCode(file)}: ${inMarkdown(reason)}`),
    ),
    list(l10n.t('Identical files'), copies(duplicates, 'file', ' = ')),
    list(l10n.t('The same picture, re-encoded'), copies(duplicates, 'picture', ' ≈ ')),
    [`## ${l10n.t('Classes')}`, '', `| ${headings.join(' | ')} |`, '|:--|--:|--:|--:|'],
    classes
      .slice(0, shownLines)
      .map(
        ({ folder, name, train, valid, test }) =>
          `| ${inMarkdown(name)}${name === folder ? '' : ` (${inMarkdown(folder)})`} | ${train} | ${valid} | ${test} |`,
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

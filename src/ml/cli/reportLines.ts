import { type DataReport, findingText } from '../../protocol/dataReport.ts';
import { someOf } from '../../protocol/someOf.ts';
import { formatClasses } from './table.ts';

/** Files shown of each kind; `--json` has them all. */
const filesShown = 20;

/** What `fivecrop check` prints: the classes with the fewest images to train on come first, which are those to add to. */
export function reportLines({ classes, images, splitBy, undecodable, duplicates, findings }: DataReport): string[] {
  const fewestFirst = [...classes].sort((a, b) => a.train - b.train || a.index - b.index);
  const rows = fewestFirst.map(({ folder, name, train, valid, test }) => [
    folder,
    name,
    ...[train, valid, test].map(String),
  ]);
  const by = splitBy === 'folders' ? 'split by its folders' : 'split by seed';
  return [
    ...formatClasses(['class', 'name', 'train', 'valid', 'test'], rows, '--json'),
    '',
    `${images.train} images to train on, ${images.valid} for validation, ${images.test} for testing, ${by}`,
    ...shortened(
      'Left out:',
      undecodable.map(({ file, reason }) => `${file}: ${reason}`),
    ),
    ...shortened('Identical files:', copies(duplicates, 'file', ' = ')),
    ...shortened('The same picture, re-encoded:', copies(duplicates, 'picture', ' ≈ ')),
    '',
    ...(findings.length === 0 ? ['The data is ready for training.'] : []),
    ...findings.map((finding) => `${finding.level}: ${findingText(finding)}`),
  ];
}

function copies(duplicates: DataReport['duplicates'], wanted: 'file' | 'picture', separator: string): string[] {
  return duplicates.filter(({ same }) => same === wanted).map(({ files }) => someOf(files, filesShown, separator));
}

function shortened(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const rest = lines.length - filesShown;
  const more = rest > 0 ? [`  and ${rest} more, which --json lists`] : [];
  return ['', title, ...lines.slice(0, filesShown).map((line) => `  ${line}`), ...more];
}

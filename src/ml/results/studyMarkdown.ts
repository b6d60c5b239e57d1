import { bytes, count, duration, fileName, percent, short } from '../../charts/format.ts';
import { compareEvaluations } from '../../protocol/compareEvaluations.ts';
import { differingSettings, settingWords } from '../../protocol/differingSettings.ts';
import { plural } from '../../protocol/plural.ts';
import type { RunRecord } from '../../protocol/runRecord.ts';
import type { StudyKind } from '../../protocol/study.ts';
import { markdownTable, plainMarkdown } from './markdown.ts';
import { type StudyFigure, studyFigures } from './studyFigures.ts';
import { compareResults, numbersOf, type StudyResult, type StudyResults } from './studyResults.ts';

/** What a study writes: text, and the pictures that it shows. */
export interface StudyText {
  readonly markdown: string;
  readonly figures: readonly StudyFigure[];
}

interface Words {
  readonly title: string;
  readonly labels: string;
  /** Where the course report has what each section shows. */
  readonly inReport: { readonly results: string; readonly curves: string; readonly validations: string };
}

const words: Readonly<Record<StudyKind, Words>> = {
  networks: {
    title: 'Networks',
    labels: 'network',
    inReport: {
      results: 'In the course report: task 3, the accuracy on the test images (there of DenseNet-169 alone).',
      curves: 'In the course report: task 1, the graphs of validation loss and validation accuracy of both networks.',
      validations: 'In the course report: task 1, the raw results of DenseNet-169 and of ResNet-18.',
    },
  },
  methods: {
    title: 'Training methods',
    labels: 'method',
    inReport: {
      results: 'In the course report: task 3, the accuracy on the test images (there of the head alone).',
      curves: 'In the course report: task 2, the graph of training and validation losses of the three methods.',
      validations: 'In the course report: task 2, the raw results of top layer, whole network and from scratch.',
    },
  },
  depths: {
    title: 'Numbers of convolutional layers',
    labels: 'network',
    inReport: {
      results: 'The course report compares these on the validation images alone.',
      curves: 'In the course report: task 4, the graph of validation accuracy, with DenseNet-169 from scratch beside.',
      validations: 'In the course report: task 4, the raw results of ConvNet1, ConvNet2 and ConvNet3.',
    },
  },
};
const cropsInReport =
  'In the course report: part 1, the classes of one crop and of five (there of one photograph by ResNet-101).';

const labelWords: Readonly<Record<string, string>> = {
  head: 'head only',
  top: 'last tensors',
  lora: 'adapters (LoRA)',
  full: 'whole network',
  scratch: 'from scratch',
};

/** The results of a study as Markdown with pictures beside it. */
export function studyText(study: StudyResults): StudyText {
  const { kind, missing } = study;
  const results = study.results.map((result) => ({ ...result, label: wordsOf(kind, result.label) }));
  const { title, inReport } = words[kind];
  const data = dataText(results[0]?.run.record);
  const figures = studyFigures(title, data, results);
  const parts = [
    `# ${title}`,
    [plainMarkdown(data), settingsText(results[0]?.run.record)].filter((part) => part !== '').join(' '),
    ...missing.map(
      ({ label, reason }) => `**${plainMarkdown(wordsOf(kind, label))}** is left out: ${plainMarkdown(reason)}`,
    ),
    ...section('Results', inReport.results, [resultsTable(kind, results), timeNote]),
    ...differences(results),
    ...(kind === 'networks' ? cropsSection(results) : []),
    ...section(
      'Curves',
      inReport.curves,
      figures.map((figure) => `![${figure.title}](${figure.file})`),
    ),
    ...section('Every validation', inReport.validations, results.flatMap(validationsOf)),
    ...settingsThatDiffer(results),
  ];
  return { markdown: `${parts.join('\n\n')}\n`, figures };
}

function wordsOf(kind: StudyKind, label: string): string {
  return kind === 'methods' ? (labelWords[label] ?? label) : label;
}

function section(title: string, inReport: string | undefined, parts: readonly string[]): string[] {
  const mark = inReport === undefined ? [] : [`_${inReport}_`];
  return [`## ${title}`, ...mark, ...parts];
}

function dataText(record: RunRecord | undefined): string {
  if (record === undefined) return '';
  const { config, data } = record;
  if (data === undefined) return fileName(config.data);
  const { train, valid, test } = data.images;
  const classes = count(data.classCount ?? data.classes.length);
  return `${fileName(config.data)}: ${classes} classes, ${count(train)} images to train on, ${count(valid)} for validation, ${count(test)} for testing.`;
}

function settingsText(record: RunRecord | undefined): string {
  if (record === undefined) return '';
  const { config, environment } = record;
  const { fivecrop, engine, engineVersion, device, machine, platform } = environment;
  const place = [engine, engineVersion, device && `on ${device}`].filter((part) => part !== undefined).join(' ');
  return plainMarkdown(
    `${plural(config.epochs, 'epoch')}, batches of ${config.batchSize}, ${config.optimizer}, learning rate ${short(config.learningRate)}, seed ${config.seed}. Fivecrop ${fivecrop}, ${place}, ${machine ?? platform}.`,
  );
}

const timeNote =
  'Accuracies are of the best checkpoint of each run; the test’s are of the center crop, with their 95 % interval (Wilson). The time of an epoch includes its validations. Memory is the peak of the process that trained.';

function resultsTable(kind: StudyKind, results: readonly StudyResult[]): string {
  const header = [
    words[kind].labels,
    ...['validation accuracy', 'validation loss', 'test accuracy', '95 % interval', 'time per epoch', 'memory', 'run'],
  ];
  const rows = results.map((result) => {
    const { best, test, secondsPerEpoch, memoryBytes } = numbersOf(result);
    return [
      result.label,
      best ? percent(best.accuracy) : '–',
      best ? best.loss.toFixed(3) : '–',
      test ? percent(test.accuracy) : '–',
      test ? `${percent(test.low)} to ${percent(test.high)}` : '–',
      secondsPerEpoch === undefined ? '–' : duration(secondsPerEpoch),
      memoryBytes === 0 ? '–' : bytes(memoryBytes),
      fileName(result.run.folder),
    ];
  });
  return markdownTable(header, rows);
}

/** The p below which a difference is called significant. */
const significance = 0.05;

function differences(results: readonly StudyResult[]): string[] {
  const compared = compareResults(results);
  if (compared === undefined) return [];
  const { labels, comparison } = compared;
  const name = (place: number) => labels[place] ?? '';
  const header = ['first', 'second', 'both right', 'only first', 'only second', 'both wrong', 'p', 'adjusted p'];
  const rows = comparison.pairs.map(({ first, second, both, onlyFirst, onlySecond, neither, p, adjustedP }) => [
    ...[name(first), name(second)],
    ...[both, onlyFirst, onlySecond, neither].map(count),
    ...[p, adjustedP].map((value) => value.toPrecision(3)),
  ]);
  const significant = comparison.pairs
    .filter(({ adjustedP }) => adjustedP < significance)
    .map(({ first, second, onlyFirst, onlySecond }) => {
      const [better, worse] = onlyFirst > onlySecond ? [first, second] : [second, first];
      return plainMarkdown(`${name(better)} is better than ${name(worse)}`);
    });
  const verdict =
    significant.length === 0
      ? `No difference is significant (adjusted p below ${significance}).`
      : `Significant (adjusted p below ${significance}): ${significant.join(', ')}.`;
  return section('McNemar’s tests', undefined, [
    `How likely a difference is if both were equally good: McNemar’s exact test on ${count(comparison.images)} test images, p adjusted for the number of pairs by Holm’s method. ${verdict}`,
    markdownTable(header, rows, 2),
  ]);
}

function cropsSection(results: readonly StudyResult[]): string[] {
  const rows = results.flatMap(({ label, test, fiveCrops }) => {
    if (!test || !fiveCrops) return [];
    const [pair] = compareEvaluations([test, fiveCrops].map((evaluation) => ({ name: label, evaluation }))).pairs;
    if (!pair) return [];
    const { onlyFirst, onlySecond, p } = pair;
    return [
      [
        label,
        percent(test.accuracy),
        percent(fiveCrops.accuracy),
        count(onlyFirst),
        count(onlySecond),
        p.toPrecision(3),
      ],
    ];
  });
  if (rows.length === 0) return [];
  const header = ['network', 'center crop', 'five crops', 'only center right', 'only five right', 'p'];
  return section('One crop against five', cropsInReport, [markdownTable(header, rows)]);
}

/** Validations of a run that the text has; the run’s folder has them all. */
const mostValidations = 200;

function validationsOf({ label, run }: StudyResult): string[] {
  const { validations } = run.curves;
  const columns = ['step', 'epoch', 'trainLoss', 'validLoss', 'validAccuracy'] as const;
  const from = Math.max(0, validations.length - mostValidations);
  const rows = Array.from({ length: validations.length - from }, (_, row) =>
    columns.map((name) => {
      const value = validations.values(name)[from + row] ?? NaN;
      return name === 'step' ? count(value) : value.toFixed(name === 'epoch' ? 2 : 3);
    }),
  );
  const header = ['step', 'epoch', 'training loss', 'validation loss', 'validation accuracy'];
  const left = from === 0 ? [] : [`The first ${from} are left out.`];
  return [`### ${plainMarkdown(label)}`, ...left, markdownTable(header, rows)];
}

function settingsThatDiffer(results: readonly StudyResult[]): string[] {
  const settings = differingSettings(results.map(({ run }) => run.record));
  if (settings.length === 0) return [];
  const header = ['setting', ...results.map(({ label }) => label)];
  const rows = settings.map(({ setting, values }) => [settingWords(setting), ...values]);
  return section('Settings that differ', undefined, [markdownTable(header, rows, header.length)]);
}

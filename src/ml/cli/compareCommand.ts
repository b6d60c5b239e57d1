import { Command, Option } from 'commander';
import { resolve } from 'node:path';
import { csv } from '../../protocol/csv.ts';
import { splitNames } from '../../protocol/dataReport.ts';
import { differingSettings, settingWords, type DifferingSetting } from '../../protocol/differingSettings.ts';
import { usageError } from '../../protocol/errors.ts';
import { compareEvaluations, type Comparison } from '../../protocol/compareEvaluations.ts';
import { computingOptions, cropCountFrom, cropsOption, placementFromFlags } from './computingFlags.ts';
import type { OptionValues } from './configFlags.ts';
import { seenOfImages } from './evaluationLines.ts';
import { createOutput } from './output.ts';
import { formatTable } from './table.ts';
import { testedRun, type TestedRun } from './testedRun.ts';

const examples = `
Examples:
  fivecrop compare runs/first runs/second
  fivecrop compare runs/first runs/second runs/third --split valid --crops 5 --format markdown

Each run's best checkpoint is tested on the run's own data, unless a result that is newer than the checkpoint is kept
beside it. The figures are of the images that all of them were tested on. p is that of McNemar's exact test: how likely
such a difference is if both were equally good. With several pairs the adjusted p, by Holm's method, is the one to judge by.`;

const formats = ['text', 'markdown', 'csv'] as const;

/** `fivecrop compare`: see its help text. */
export function compareCommand(): Command {
  const command = new Command('compare')
    .summary('compare what runs got right on the same images')
    .description(
      'Compares runs on the same images: accuracy with its interval, the settings that differ, and whether the difference may be chance.',
    )
    .argument('<runs...>', 'folders of runs, or checkpoints in them; two or more')
    .addOption(new Option('--split <name>', 'which images').choices(splitNames).default('test'))
    .option('--data <folder>', 'test all of them on this folder instead of the data of each run')
    .addOption(cropsOption(1))
    .addOption(new Option('--format <name>', 'how the tables are written').choices(formats).default('text'))
    .addHelpText('after', examples);
  for (const option of computingOptions()) command.addOption(option);
  return command
    .option('--json', 'print one object, with every image that some got right and others wrong')
    .action((paths: string[], options: OptionValues) => compareRuns(paths, options));
}

async function compareRuns(paths: readonly string[], options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  if (paths.length < 2) throw usageError('To compare, name two runs or more.');
  const cropCount = cropCountFrom(options);
  const split = splitNames.find((name) => name === options['split']) ?? 'test';
  const placement = await placementFromFlags(options, output.say);
  const data = typeof options['data'] === 'string' ? resolve(options['data']) : undefined;
  const runs: TestedRun[] = [];
  for (const path of paths) runs.push(await testedRun(path, { data, split, cropCount }, placement, output));
  const names = distinct(runs.map(({ name }) => name));
  const comparison = compareEvaluations(runs.map(({ evaluation }) => evaluation));
  const settings = differingSettings(runs.map(({ record }) => record));
  output.object({ runs: runs.map(({ evaluation }, place) => ({ name: names[place], checkpoint: evaluation.checkpoint })), split, cropCount, settings, ...comparison }); // prettier-ignore
  const tables = tablesOf(names, comparison, settings);
  const format = formats.find((name) => name === options['format']) ?? 'text';
  const crops = seenOfImages(runs.map(({ evaluation }) => evaluation));
  const left = comparison.notCommon > 0 ? `; ${comparison.notCommon} that only some were tested on are left out` : '';
  if (format !== 'csv') output.print(`${comparison.images} ${split} images, ${crops}${left}`);
  tables.forEach((table, place) => {
    if (format !== 'csv' || place > 0) output.print('');
    for (const line of writers[format](table)) output.print(line);
  });
}

/** Names of runs, those that several have with a number. */
function distinct(names: readonly string[]): string[] {
  return names.map((name, place) => {
    const before = names.slice(0, place).filter((other) => other === name).length;
    return before === 0 ? name : `${name} (${before + 1})`;
  });
}

interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function tablesOf(names: readonly string[], comparison: Comparison, settings: readonly DifferingSetting[]): Table[] {
  const { figures, pairs } = comparison;
  const name = (place: number) => names[place] ?? '';
  const results: Table = {
    header: ['run', 'accuracy', '95% interval', 'macro F1', 'loss'],
    rows: figures.map(({ accuracy, interval, macro, loss }, place) => [
      name(place),
      accuracy.toFixed(4),
      `${interval.low.toFixed(4)} to ${interval.high.toFixed(4)}`,
      macro.f1.toFixed(4),
      loss.toFixed(4),
    ]),
  };
  const adjusted = pairs.length > 1;
  const tests: Table = {
    header: ['first', 'second', 'both right', 'only first', 'only second', 'both wrong', 'p', ...(adjusted ? ['adjusted p'] : [])], // prettier-ignore
    rows: pairs.map(({ first, second, both, onlyFirst, onlySecond, neither, p, adjustedP }) => [
      ...[name(first), name(second)],
      ...[both, onlyFirst, onlySecond, neither].map(String),
      ...(adjusted ? [p, adjustedP] : [p]).map((value) => value.toPrecision(3)),
    ]),
  };
  const differing: Table = {
    header: ['setting', ...names],
    rows: settings.map(({ setting, values }) => [settingWords(setting), ...values]),
  };
  return settings.length === 0 ? [results, tests] : [results, tests, differing];
}

const writers: Record<(typeof formats)[number], (table: Table) => string[]> = {
  text: ({ header, rows }) => formatTable(header, rows),
  markdown: ({ header, rows }) => [header, header.map(() => '---'), ...rows].map(markdownRow),
  csv: ({ header, rows }) => [header, ...rows].map((row) => csv([row]).replace(/\r\n$/u, '')),
};

function markdownRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

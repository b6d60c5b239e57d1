import { Command, Option } from 'commander';
import { resolve } from 'node:path';
import { compareEvaluations } from '../../protocol/compareEvaluations.ts';
import {
  type ComparedRuns,
  comparisonNotes,
  comparisonObject,
  comparisonReport,
  comparisonTables,
} from '../../protocol/comparisonReport.ts';
import { splitNames } from '../../protocol/dataReport.ts';
import { differingSettings } from '../../protocol/differingSettings.ts';
import { distinctNames } from '../../protocol/distinctNames.ts';
import { usageError, userError } from '../../protocol/errors.ts';
import { differentImages, differentImagesSentence, type NamedTest } from '../../protocol/sameImages.ts';
import { seenOfImages } from '../../protocol/seenOfImages.ts';
import { computingOptions, cropCountFrom, cropsOption, placementFromFlags } from './computingFlags.ts';
import type { OptionValues } from './configFlags.ts';
import { createOutput } from './output.ts';
import { formatTable } from './table.ts';
import { testedRun, type TestedRun } from './testedRun.ts';

const examples = `
Examples:
  fivecrop compare runs/first runs/second
  fivecrop compare runs/first runs/second runs/third --split valid --crops 5 --format markdown

Each run's best checkpoint is tested on the run's own data, unless a result that is newer than the checkpoint is kept
beside it. p is that of McNemar's exact test: how likely such a difference is if both were equally good. With several
pairs the adjusted p, by Holm's method, is the one to judge by. The test needs runs that were tested on the same images:
others are refused, or compared with --common on those that all were tested on.`;

const formats = ['text', 'markdown', 'csv'] as const;

/** Classes that are listed in a terminal; the other formats and `--json` have all. */
const classesShown = 10;

/** `fivecrop compare`: see its help text. */
export function compareCommand(): Command {
  const command = new Command('compare')
    .summary('compare what runs got right on the same images')
    .description(
      'Compares runs on the same images: accuracy with its interval, classes and settings that differ, and whether the difference may be chance.',
    )
    .argument('<runs...>', 'folders of runs, or checkpoints in them; two or more')
    .addOption(new Option('--split <name>', 'which images').choices(splitNames).default('test'))
    .option('--data <folder>', 'test all of them on this folder instead of the data of each run')
    .option('--common', 'if they were tested on different images, compare them on those that all were tested on')
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
  const names = distinctNames(runs.map(({ name }) => name));
  const tests = runs.map(({ evaluation }, place) => ({ name: names[place] ?? '', evaluation }));
  if (options['common'] !== true) requireSameImages(tests);
  const about: ComparedRuns = {
    comparison: compareEvaluations(tests),
    settings: differingSettings(runs.map(({ record }) => record)),
    split,
    seen: seenOfImages(runs.map(({ evaluation }) => evaluation)),
  };
  const checkpoints = tests.map(({ name, evaluation }) => ({ name, checkpoint: evaluation.checkpoint }));
  output.object({ runs: checkpoints, cropCount, ...comparisonObject(about) });
  const format = formats.find((name) => name === options['format']) ?? 'text';
  const lines = format === 'text' ? comparisonLines(about) : comparisonReport(format, about).trimEnd().split(/\r?\n/u);
  for (const line of lines) output.print(line);
}

/** Throws a user error that says in one sentence why, and what to do. */
function requireSameImages(tests: readonly NamedTest[]): void {
  const different = differentImages(tests);
  if (!different) return;
  const remedy = 'test them on a folder that none of them was trained on (--data)';
  throw userError(`${differentImagesSentence(different, remedy)}${different.common > 0 ? ' (--common)' : ''}.`);
}

/** What `fivecrop compare` prints. */
export function comparisonLines(about: ComparedRuns): string[] {
  const tables = comparisonTables(about).map(({ header, rows }) => {
    const isOfClasses = header[0] === 'class';
    const rest = isOfClasses ? rows.length - classesShown : 0;
    const more = rest > 0 ? [`and ${rest} more classes, which --json and --format markdown list`] : [];
    return ['', ...formatTable(header, isOfClasses ? rows.slice(0, classesShown) : rows), ...more];
  });
  return [...comparisonNotes(about), ...tables.flat()];
}

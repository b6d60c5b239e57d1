import { Command } from 'commander';
import process from 'node:process';
import { findingText } from '../../protocol/dataReport.ts';
import { usageError } from '../../protocol/errors.ts';
import { contradictionIn } from '../../protocol/contradictions.ts';
import { checkData } from '../data/checkData.ts';
import { scanDataset, scanOptionsOf } from '../data/scanDataset.ts';
import { configOptions, parseTrainingConfig, settingsFromFlags, type OptionValues } from './configFlags.ts';
import { withInterrupt } from './interrupt.ts';
import { createOutput } from './output.ts';
import { createProgress, imagesNote } from './progress.ts';
import { reportLines } from './reportLines.ts';

const examples = `
Examples:
  fivecrop check flowers
  fivecrop check photos --valid-share 0.2 --test-share 0.1

Nothing is changed or deleted. Exits with 1 if training would fail.`;

/** Flags of `train` that say how a folder is read. */
const dataFlags = ['--class-names', '--layout', '--valid-share', '--test-share', '--seed'];

/** `fivecrop check`: see its help text. */
export function checkCommand(): Command {
  const command = new Command('check')
    .summary('check a data set without training')
    .description(
      'Checks a data set: classes, counts, files that cannot be decoded, copies of one picture, and what to do.',
    )
    .argument('<data>', 'folder of images, as for train')
    .addHelpText('after', examples);
  for (const option of configOptions()) if (dataFlags.includes(option.long ?? '')) command.addOption(option);
  return command
    .option('--json', 'print the report as one object')
    .action((data: string, options: OptionValues) => check(data, options));
}

async function check(data: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const network = { kind: 'architecture', name: 'any' };
  const config = parseTrainingConfig({ data, network, ...settingsFromFlags(options) });
  const contradiction = contradictionIn(config);
  if (contradiction !== undefined) throw usageError(contradiction);
  const dataset = await scanDataset(data, scanOptionsOf(config));
  const progress = createProgress(true);
  const startedAt = Date.now();
  const onProgress = (done: number, total: number) => progress.update(done, total, imagesNote(done, total, startedAt));
  const stopping = () => progress.line('Stopping; Ctrl-C again quits at once.');
  const report = await withInterrupt(stopping, (signal) =>
    checkData(dataset, { decode: true, signal, onProgress }),
  ).finally(progress.stop);
  // Who reads the report by a program had only `message` before.
  const findings = report.findings.map((finding) => ({ ...finding, message: findingText(finding) }));
  output.object({ ...report, findings });
  for (const line of reportLines(report)) output.print(line);
  if (report.findings.some(({ level }) => level === 'error')) process.exitCode = 1;
}

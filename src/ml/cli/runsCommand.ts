import { Command } from 'commander';
import { basename } from 'node:path';
import { networkName } from '../../protocol/networkName.ts';
import { listRuns, type StoredRun } from '../../runs/list.ts';
import { type UsableFile, usableFiles } from '../../runs/sizes.ts';
import { stateWithPlace } from '../../runs/state.ts';
import type { OptionValues } from './configFlags.ts';
import { createOutput, type Output } from './output.ts';
import { formatTable } from './table.ts';

const examples = `
Examples:
  fivecrop runs                                            the runs in ./runs, newest first
  fivecrop runs experiments --json
  fivecrop runs --size                                     with the size of the best checkpoint and of exports`;

/** `fivecrop runs`: see its help text. */
export function runsCommand(): Command {
  return new Command('runs')
    .summary('list the runs in a folder')
    .description('Lists the runs in a folder with their state, network, data and best accuracy, newest first.')
    .argument('[folder]', 'folder that holds the runs', 'runs')
    .option('--size', 'also list the size of the best checkpoint and of the ONNX files in the folder of each run')
    .option('--json', 'print one object per run, one per line: its folder, its state and its record')
    .addHelpText('after', examples)
    .action(async (folder: string, options: OptionValues) => {
      await printRuns(folder, options['size'] === true, createOutput(options['json'] === true));
    });
}

async function printRuns(folder: string, withSize: boolean, output: Output): Promise<void> {
  const { runs, unreadable } = await listRuns(folder);
  for (const run of unreadable) output.say(`${run.folder} is left out: ${run.reason}`);
  const rows: string[][] = [];
  for (const run of runs) {
    const files = withSize ? await usableFiles(run.folder) : undefined;
    const { folder: path, state, record } = run;
    output.object({ folder: path, state, record, ...(files ? { files } : {}) });
    rows.push([...rowOf(run), ...(files ? [files.map(sizeText).join(', ')] : [])]);
  }
  if (runs.length === 0) output.say(`There are no runs in ${folder}; fivecrop train starts one.`);
  else for (const line of formatTable([...header, ...(withSize ? ['size'] : [])], rows)) output.print(line);
}

function sizeText({ name, bytes }: UsableFile): string {
  return `${name} ${(bytes / 1e6).toFixed(1)} MB`;
}

const header = ['run', 'state', 'network', 'method', 'data', 'epoch', 'best accuracy'];

function rowOf(run: StoredRun): string[] {
  const { folder, record } = run;
  const { config, progress, best } = record;
  const { network } = config;
  return [
    // A copied or renamed folder is known by its own name.
    basename(folder),
    stateWithPlace(run),
    networkName(network),
    config.method,
    basename(config.data),
    `${(progress?.epoch ?? 0).toFixed(1)}/${config.epochs}`,
    best ? best.validAccuracy.toFixed(3) : '',
  ];
}

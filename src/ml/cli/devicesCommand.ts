import { Command } from 'commander';
import process from 'node:process';
import { listDevices, type CheckedDevice } from '../engine/chooseEngine.ts';
import type { OptionValues } from './configFlags.ts';
import { createOutput } from './output.ts';
import { formatTable } from './table.ts';

const examples = `
Examples:
  fivecrop devices
  fivecrop devices --self-check                            checks and times the CPU too; exits with 1 if a check fails

A graphics card is listed as ready when it has trained a few steps here and its gradients and losses matched the CPU’s:
the two columns before the last say how far off they were, as a share of the largest.`;

/** `fivecrop devices`: see its help text. */
export function devicesCommand(): Command {
  return new Command('devices')
    .summary('list what can compute on this machine')
    .description('Lists every engine and device: what was found, and what is missing and why.')
    .option('--self-check', 'check and time the CPU too, not only graphics cards')
    .option('--json', 'print one object per device, one per line')
    .addHelpText('after', examples)
    .action(async (options: OptionValues) => {
      const output = createOutput(options['json'] === true);
      const devices = await listDevices({ checkAll: options['selfCheck'] === true });
      for (const device of devices) output.object(device);
      const header = ['engine', 'device', '', 'steps/s', 'gradients off by', 'loss off by', ''];
      for (const line of formatTable(header, devices.map(rowOf))) output.print(line);
      if (options['selfCheck'] === true && devices.some(({ refused }) => refused)) process.exitCode = 1;
    });
}

function rowOf({ engine, name, available, refused, detail, check }: CheckedDevice): string[] {
  const state = available ? 'ready' : refused ? 'refused' : 'missing';
  if (!check || 'error' in check) return [engine, name, state, '', '', '', detail];
  const { secondsPerStep, difference, lossDifference } = check;
  const off = (value: number | null) => (value === null ? 'no number' : value === 0 ? '0' : value.toExponential(1));
  return [engine, name, state, (1 / secondsPerStep).toFixed(1), off(difference), off(lossDifference), detail];
}

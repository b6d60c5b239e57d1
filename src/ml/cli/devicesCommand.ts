import { Command } from 'commander';
import { listDevices, type CheckedDevice } from '../engine/chooseEngine.ts';
import type { OptionValues } from './configFlags.ts';
import { createOutput } from './output.ts';
import { formatTable } from './table.ts';

const examples = `
Examples:
  fivecrop devices
  fivecrop devices --self-check                            times the CPU too

A graphics card is listed as ready when it has trained a few steps here and its gradients were the CPU’s.`;

/** `fivecrop devices`: see its help text. */
export function devicesCommand(): Command {
  return new Command('devices')
    .summary('list what can compute on this machine')
    .description('Lists every engine and device: what was found, and what is missing and why.')
    .option('--self-check', 'check and time the CPU too, not only graphics cards')
    .option('--json', 'print one object a device, one a line')
    .addHelpText('after', examples)
    .action(async (options: OptionValues) => {
      const output = createOutput(options['json'] === true);
      const devices = await listDevices({ checkAll: options['selfCheck'] === true });
      for (const device of devices) output.object(device);
      for (const line of formatTable(['engine', 'device', '', 'steps/s', ''], devices.map(rowOf))) output.print(line);
    });
}

function rowOf({ engine, name, available, detail, check }: CheckedDevice): string[] {
  const speed = check && 'secondsPerStep' in check ? (1 / check.secondsPerStep).toFixed(1) : '';
  return [engine, name, available ? 'ready' : 'missing', speed, detail];
}

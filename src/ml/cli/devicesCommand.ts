import { Command, Option } from 'commander';
import process from 'node:process';
import { usageError } from '../../protocol/errors.ts';
import { automaticChoice, listDevices, type CheckedDevice } from '../engine/chooseEngine.ts';
import type { InstallablePart } from '../engine/engine.ts';
import { lookForCuda } from '../install/installCuda.ts';
import type { OptionValues } from './configFlags.ts';
import { installableParts, installCudaVisibly, removeCudaVisibly } from './installVisibly.ts';
import { createOutput, type Output } from './output.ts';
import { formatTable } from './table.ts';

const examples = `
Examples:
  fivecrop devices
  fivecrop devices --self-check                            checks and times the CPU too; exits with 1 if a check fails
  fivecrop devices --install cuda                          says what NVIDIA’s cards need, its size and its licenses
  fivecrop devices --install cuda --accept-licenses        installs it; the same command continues after an interruption
  fivecrop devices --remove cuda

A graphics card is listed as ready when it has trained a few steps here and its gradients and losses matched the CPU’s:
the two columns before the last say how far off they were, as a share of the largest. All devices are timed on the same
step, 16 images of 224 pixels; if one is slow, its time is estimated from one image.`;

/** How a part that is missing is installed beside the command. */
const remedies: Readonly<Record<InstallablePart, string>> = {
  tensorflow: 'run npm install, then npm run tensorflow',
  cuda: 'run fivecrop devices --install cuda',
  onnxruntime: 'run npm install again on this machine',
};

/** `fivecrop devices`: see its help text. */
export function devicesCommand(): Command {
  return new Command('devices')
    .summary('list what can compute on this machine')
    .description('Lists every engine and device: what was found, what is missing and why, and what auto takes.')
    .option('--self-check', 'check and time the CPU too, not only graphics cards')
    .addOption(
      new Option('--install <part>', 'install what a device needs').choices(installableParts).conflicts('selfCheck'),
    )
    .option('--accept-licenses', 'with --install: accept the licenses that it names')
    .addOption(
      new Option('--remove <part>', 'remove what was installed')
        .choices(installableParts)
        .conflicts(['selfCheck', 'install', 'acceptLicenses']),
    )
    .option('--json', 'print one object per device, one per line')
    .addHelpText('after', examples)
    .action(async (options: OptionValues) => {
      const output = createOutput(options['json'] === true);
      const accepted = options['acceptLicenses'] === true;
      if (options['install'] !== undefined) return installCudaVisibly(await lookForCuda(), accepted, output);
      if (options['remove'] !== undefined) return removeCudaVisibly(output);
      if (accepted) throw usageError('--accept-licenses is for --install: give that too, or leave it out.');
      return listVisibly(options['selfCheck'] === true, output);
    });
}

async function listVisibly(checkAll: boolean, output: Output): Promise<void> {
  const devices = await listDevices({ checkAll });
  for (const device of devices) output.object(device);
  const header = ['engine', 'device', '', 'seconds/step', 'gradients off by', 'loss off by', ''];
  for (const line of formatTable(header, devices.map(rowOf))) output.print(line);
  const { engine, device, reason } = await automaticChoice(output.say);
  output.print(`auto takes ${engine} on ${device}: ${reason}.`);
  if (checkAll && devices.some(({ refused }) => refused)) process.exitCode = 1;
}

function rowOf({ engine, name, available, refused, detail, check, lacks }: CheckedDevice): string[] {
  const state = available ? 'ready' : refused ? 'refused' : 'missing';
  const words = lacks === undefined ? detail : `${detail}: ${remedies[lacks]}`;
  if (!check || 'error' in check) return [engine, name, state, '', '', '', words];
  const { secondsPerStep, difference, lossDifference } = check;
  const off = (value: number | null) => (value === null ? 'no number' : value === 0 ? '0' : value.toExponential(1));
  const seconds = secondsPerStep < 10 ? secondsPerStep.toPrecision(2) : secondsPerStep.toFixed(0);
  return [engine, name, state, seconds, off(difference), off(lossDifference), words];
}

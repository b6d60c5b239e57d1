import { Command } from 'commander';
import process from 'node:process';
import { plural } from '../../protocol/plural.ts';
import { namedRuntime } from '../export/exportRuntime.ts';
import { type Difference, type Verification, verifyExport } from '../export/verifyExport.ts';
import { readOnnxFile } from '../inference/foreignModel.ts';
import type { OptionValues } from './configFlags.ts';
import { createOutput } from './output.ts';

const examples = `
Examples:
  fivecrop verify flowers.onnx
  fivecrop verify flowers.onnx --runtime onnxruntime-web
  fivecrop verify flowers.onnx --runtime ./another/node_modules/onnxruntime-node

A file that was changed since it was exported is refused before anything in it is run. The exit code is 1 from the first
probability that differs by more than the file allows.`;

/** `fivecrop verify`: see its help text. */
export function verifyCommand(): Command {
  return new Command('verify')
    .summary('run the test images of an exported file')
    .description('Checks that an exported ONNX file is unchanged and gives the probabilities that it says.')
    .argument('<file>', 'an ONNX file that fivecrop export wrote')
    .option(
      '--runtime <module>',
      'a package or module with ONNX Runtime’s JavaScript interface, whose code is run; Fivecrop’s own without it',
    )
    .option('--json', 'print the result as one object')
    .addHelpText('after', examples)
    .action(verify);
}

async function verify(file: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const { runtime: name } = options;
  const runtime = typeof name === 'string' ? await namedRuntime(name) : undefined;
  const { bytes } = await readOnnxFile(file);
  const verification = await verifyExport(file, bytes, runtime);
  output.object({ file, ...verification });
  output.print(verificationLine(verification));
  if (verification.failure) process.exitCode = 1;
}

/** What came of the test images, in a sentence. */
export function verificationLine({ tests, ofData, tolerance, largest, failure }: Verification): string {
  if (failure) return failureLine(failure, tolerance);
  if (tests === 0) return 'The file is as it was exported; it has no test images to run.';
  const images = `${plural(tests, 'test image')}, ${ofData} of them of the data`;
  return `Verified by ${images}: probabilities differ by at most ${largest.toExponential(1)} of ${tolerance} allowed.`;
}

function failureLine({ test, index, expected, found }: Difference, tolerance: number): string {
  if (index === undefined) return `Test image ${test} gives another answer than it should.`;
  return `Test image ${test}: class ${index} has probability ${String(found)}, not ${String(expected)}, and ${tolerance} is allowed.`;
}

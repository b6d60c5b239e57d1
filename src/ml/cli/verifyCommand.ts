import { Command } from 'commander';
import { stat } from 'node:fs/promises';
import process from 'node:process';
import { usageError } from '../../protocol/errors.ts';
import { plural } from '../../protocol/plural.ts';
import { namedRuntime } from '../export/exportRuntime.ts';
import type { Difference, Verification } from '../export/runTests.ts';
import { verifyExport } from '../export/verifyExport.ts';
import { verifyFolder } from '../export/verifyFolder.ts';
import { readOnnxFile } from '../inference/foreignModel.ts';
import type { OptionValues } from './configFlags.ts';
import { imagesVisibly } from './imagesVisibly.ts';
import { createOutput, type Output } from './output.ts';

const examples = `
Examples:
  fivecrop verify flowers.onnx
  fivecrop verify flowers.onnx --runtime onnxruntime-web
  fivecrop verify flowers.onnx --runtime ./another/node_modules/onnxruntime-node
  fivecrop verify flowers                                  a folder of export --format tfjs

An export that was changed since it was written is refused before anything in it is run. The exit code is 1 from the first
probability that differs by more than the export allows. The model of a folder runs in the TensorFlow.js of this machine,
which takes seconds for each image without TensorFlow's native library; index.html in the folder runs the same test images
in a browser.`;

/** `fivecrop verify`: see its help text. */
export function verifyCommand(): Command {
  return new Command('verify')
    .summary('run the test images of an export')
    .description(
      'Checks that an exported ONNX file or folder for TensorFlow.js is unchanged and gives the probabilities that it says.',
    )
    .argument('<export>', 'an ONNX file, or a folder for TensorFlow.js, that fivecrop export wrote')
    .option(
      '--runtime <module>',
      'for ONNX files: a package or module with ONNX Runtime’s JavaScript interface, whose code is run; Fivecrop’s own without it',
    )
    .option('--json', 'print the result as one object')
    .addHelpText('after', examples)
    .action(verify);
}

async function verify(path: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  const verification = isFolder ? await verifyModel(path, options, output) : await verifyFile(path, options);
  output.object({ file: path, ...verification });
  output.print(verificationLine(verification));
  if (verification.failure) process.exitCode = 1;
}

async function verifyFile(file: string, { runtime: name }: OptionValues): Promise<Verification> {
  const runtime = typeof name === 'string' ? await namedRuntime(name) : undefined;
  const { bytes } = await readOnnxFile(file);
  return verifyExport(file, bytes, runtime);
}

async function verifyModel(folder: string, { runtime }: OptionValues, output: Output): Promise<Verification> {
  if (runtime !== undefined) throw usageError('--runtime is for ONNX files: a folder runs in TensorFlow.js.');
  return imagesVisibly(output, ({ signal, onProgress }) => verifyFolder(folder, { signal, onProgress }));
}

/** What came of the test images, in a sentence. */
export function verificationLine({ tests, ofData, tolerance, largest, failure }: Verification): string {
  if (failure) return failureLine(failure, tolerance);
  if (tests === 0) return 'The export is as it was written; it has no test images to run.';
  const images = `${plural(tests, 'test image')}, ${ofData} of them of the data`;
  return `Verified by ${images}: probabilities differ by at most ${largest.toExponential(1)} of ${tolerance} allowed.`;
}

function failureLine({ test, index, expected, found }: Difference, tolerance: number): string {
  if (index === undefined) return `Test image ${test} gives another answer than it should.`;
  return `Test image ${test}: class ${index} has probability ${String(found)}, not ${String(expected)}, and ${tolerance} is allowed.`;
}

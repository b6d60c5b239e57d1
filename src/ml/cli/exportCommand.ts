import { Command, Option } from 'commander';
import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { usageError } from '../../protocol/errors.ts';
import { exportedNames, type ExportForm, exportInputs, exportPrecisions } from '../../protocol/exportFormat.ts';
import { licenceNote } from '../../protocol/licence.ts';
import { writeAtomically, writeTextAtomically } from '../../runs/atomicFile.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import { checkpointPath } from '../../runs/checkpointPath.ts';
import { exportCheckpoint as makeExport, type ExportOptions } from '../export/exportCheckpoint.ts';
import { usualTests } from '../export/exportTests.ts';
import { exportStateDict } from '../export/exportStateDict.ts';
import { readyScripts } from '../export/scripts/readyScripts.ts';
import { cropCountFrom, cropsOption } from './computingFlags.ts';
import type { OptionValues } from './configFlags.ts';
import { exportTensorflow, exportTimm } from './exportFolder.ts';
import { imagesVisibly } from './imagesVisibly.ts';
import { createOutput, type Output } from './output.ts';
import { verificationLine } from './verifyCommand.ts';

const examples = `
Examples:
  fivecrop export runs/NAME flowers.onnx
  fivecrop export runs/NAME flowers.onnx --crops 1 --precision float16
  fivecrop export runs/NAME flowers.onnx --input nchw --scripts
  fivecrop export runs/NAME flowers.onnx --input normalized
  fivecrop export runs/NAME flowers.pth                    the weights under torch’s names
  fivecrop export runs/NAME flowers --format timm          a folder that timm and transformers load
  fivecrop export runs/NAME flowers --format tfjs          a folder with a model for TensorFlow.js, and a page

The file runs in any ONNX Runtime. Its input is ${exportedNames.pixels}: decoded pixels of any size, uint8, RGB. Resize, crops, normalization
and temperature are in it; its output is ${exportedNames.probabilities} [N, classes], in the order of its metadata “labels”, and, if
the checkpoint keeps a threshold, ${exportedNames.rejected} [N]. fivecrop verify runs its test images.
With --input normalized, its input is ${exportedNames.input}, float32 [N, 3, S, S], prepared as its metadata “preprocessing” says; its
output is ${exportedNames.logProbabilities} [N, classes].
In float16, weights are stored in 16 bits and computed with in float32. In int8, convolutions compute in 8 bits.
--format timm writes model.safetensors, config.json and a model card, README.md, as model hubs have them.
--format tfjs writes a graph model of TensorFlow.js, classify.js, which prepares images and classifies them, and index.html.`;

/** `fivecrop export`: see its help text. */
export function exportCommand(): Command {
  return new Command('export')
    .summary('write a checkpoint as an ONNX file, for torch, timm or TensorFlow.js')
    .description(
      'Writes a checkpoint as one ONNX file that holds all that is needed to classify images, or for torch, timm or TensorFlow.js.',
    )
    .argument('<checkpoint>', 'a checkpoint, or the folder of a run, whose best one is taken')
    .argument('<out>', 'the file to write, *.onnx or *.pth, or with --format timm or tfjs a new folder')
    .addOption(new Option('--format <name>', 'what is written: by the name of the file without it').choices(formats))
    .addOption(
      new Option(
        '--input <form>',
        'what goes in: pixels as [H, W, 3] (hwc) or [N, 3, H, W] (nchw), or normalized images',
      )
        .choices(exportInputs)
        .default('hwc'),
    )
    .addOption(cropsOption(5))
    .addOption(
      new Option('--precision <p>', 'of the weights; below float32 the accuracy is measured')
        .choices(exportPrecisions)
        .default('float32'),
    )
    .option(
      '--tests <n>',
      'test images in the file, small copies of validation images; synthetic: 16 that show nothing of the data',
      String(usualTests),
    )
    .option('--scripts', 'write its labels as JSON and scripts for Python, Node and a browser beside the file')
    .option('--json', 'print what was written as one object')
    .addHelpText('after', examples)
    .action(exportCheckpoint);
}

async function exportCheckpoint(
  checkpoint: string,
  out: string,
  options: OptionValues,
  command: Command,
): Promise<void> {
  const format = formatOf(out, options);
  const wishes = wishesFrom(options);
  const refuseAny = (names: readonly string[], what: string) => {
    const given = names.find((name) => command.getOptionValueSource(name) === 'cli');
    if (given !== undefined) throw usageError(`--${given} cannot be used with ${what}.`);
  };
  if (wishes.input === 'normalized') refuseAny(['crops', 'tests', 'scripts'], '--input normalized');
  refuseAny(notOf[format], format === 'pth' ? 'a *.pth file' : `--format ${format}`);
  const output = createOutput(options['json'] === true);
  const file = checkpointPath(resolve(checkpoint));
  if (format === 'pth') await exportTorch(file, out, output);
  else if (format === 'timm') await exportTimm(file, out, output);
  else if (format === 'tfjs') await exportTensorflow(file, out, wishes.crops, output);
  else await exportModel(file, out, { wishes, withScripts: options['scripts'] === true }, output);
  const terms = licenceNote(await readCheckpointMetadata(file));
  if (terms !== undefined) output.say(terms);
}

/** The formats of one file are named as it ends; the others are those of a folder. */
const fileFormats = ['onnx', 'pth'] as const;
const formats = [...fileFormats, 'timm', 'tfjs'] as const;
type Format = (typeof formats)[number];

/** The options that a format has no use for. */
const notOf: Readonly<Record<Format, readonly string[]>> = {
  onnx: [],
  pth: ['input', 'crops', 'precision', 'tests', 'scripts'],
  timm: ['input', 'crops', 'precision', 'tests', 'scripts'],
  tfjs: ['input', 'precision', 'tests', 'scripts'],
};

function formatOf(out: string, options: OptionValues): Format {
  const ending = extname(out).slice(1).toLowerCase();
  const named = fileFormats.find((name) => name === ending);
  const asked = formats.find((name) => name === options['format']) ?? named;
  if (asked === undefined) {
    throw usageError(`${out}: name a file *.onnx or *.pth, or add --format timm or tfjs to write a folder.`);
  }
  const isFile = fileFormats.some((name) => name === asked);
  if (isFile && asked !== named) throw usageError(`${out}: a file of the format ${asked} must be named *.${asked}.`);
  if (!isFile && named !== undefined) throw usageError(`${out}: --format ${asked} writes a folder: name one that does not end in .${named}.`); // prettier-ignore
  return asked;
}

/** The weights alone, as torch's own file. */
async function exportTorch(file: string, out: string, output: Output): Promise<void> {
  await exportStateDict(file, out);
  const { size: bytes } = await stat(out);
  output.object({ file: out, bytes });
  output.say(`Wrote ${out}, ${(bytes / 1e6).toFixed(1)} MB: a state dict for torch.load(…, weights_only=True).`);
}

interface ModelWishes {
  readonly wishes: ReturnType<typeof wishesFrom>;
  readonly withScripts: boolean;
}

async function exportModel(
  file: string,
  out: string,
  { wishes, withScripts }: ModelWishes,
  output: Output,
): Promise<void> {
  const { bytes, form, verification } = await imagesVisibly(output, ({ signal, onNote, onProgress }) =>
    makeExport(file, { ...wishes, signal, onNote, onProgress }),
  );
  await writeAtomically(out, (handle) => handle.writeFile(bytes));
  const { classes } = await readCheckpointMetadata(file);
  const scripts = withScripts ? readyScripts(out, classes, form) : new Map<string, string>();
  for (const [path, text] of scripts) await writeTextAtomically(path, text);
  output.object({
    file: out,
    bytes: bytes.byteLength,
    ...form,
    ...(verification ? { verification } : {}),
    scripts: [...scripts.keys()],
  });
  output.say(`Wrote ${out}, ${(bytes.byteLength / 1e6).toFixed(1)} MB.`);
  for (const path of scripts.keys()) output.say(`Wrote ${path}.`);
  const accuracy = accuracyLine(form);
  if (accuracy !== undefined) output.say(accuracy);
  if (verification) output.say(verificationLine(verification));
  if (verification && verification.ofData > 0) {
    output.say('The file holds small copies of images of the data; --tests synthetic leaves them out.');
  }
}

function wishesFrom(options: OptionValues): Pick<ExportOptions, 'input' | 'crops' | 'precision' | 'tests'> {
  return {
    input: exportInputs.find((name) => name === options['input']) ?? 'hwc',
    crops: cropCountFrom(options),
    precision: exportPrecisions.find((name) => name === options['precision']) ?? 'float32',
    tests: testsFrom(options['tests']),
  };
}

/** More would make the file large. */
const mostTests = 256;

function testsFrom(text: unknown): ExportOptions['tests'] {
  if (text === 'synthetic') return { count: usualTests, ofData: false };
  const count = Number(text);
  if (typeof text === 'string' && text.trim() !== '' && Number.isInteger(count) && count >= 0 && count <= mostTests) {
    return { count, ofData: true };
  }
  throw usageError(`--tests takes a whole number from 0 to ${mostTests}, or synthetic, not ${String(text)}.`);
}

function accuracyLine({ accuracy, precision }: ExportForm): string | undefined {
  if (!accuracy) return undefined;
  const { images, checkpoint, exported } = accuracy;
  return `Accuracy on ${images} validation images: ${exported.toFixed(3)} in ${precision}, ${checkpoint.toFixed(3)} in float32.`;
}

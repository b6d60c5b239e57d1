import { Command, Option } from 'commander';
import { usageError } from '../../protocol/errors.ts';
import { exportedNames, type ExportForm, exportInputs, exportPrecisions } from '../../protocol/exportFormat.ts';
import { exportFormatNames, exportFormats, type ExportFormat } from '../../protocol/exportWishes.ts';
import { mostTests, usualTests } from '../export/exportTests.ts';
import { exportClassifier, type ExportOptions, type WrittenExport } from '../library/exporting.ts';
import { cropCountFrom, cropsOption } from './computingFlags.ts';
import type { OptionValues } from './configFlags.ts';
import { imagesVisibly } from './imagesVisibly.ts';
import { createOutput } from './output.ts';
import { verificationLine } from './verifyCommand.ts';

const examples = `
Examples:
  fivecrop export runs/NAME flowers.onnx
  fivecrop export runs/NAME flowers.onnx --crops 1 --precision float16
  fivecrop export runs/NAME flowers.onnx --input nchw --scripts
  fivecrop export runs/NAME flowers.onnx --input normalized
  fivecrop export runs/NAME flowers.pth
  fivecrop export runs/NAME flowers --format timm
  fivecrop export runs/NAME flowers --format tfjs

Formats:
${exportFormatNames.map((name) => `  ${name.padEnd(5)} ${exportFormats[name].about}`).join('\n')}

The ONNX file runs in any ONNX Runtime. Its input is ${exportedNames.pixels}: decoded pixels of any size, uint8, RGB. Resize, crops, normalization
and temperature are in it; its output is ${exportedNames.probabilities} [N, classes], in the order of its metadata “labels”, and, if
the checkpoint keeps a threshold, ${exportedNames.rejected} [N]. fivecrop verify runs its test images.
With --input normalized, its input is ${exportedNames.input}, float32 [N, 3, S, S], prepared as its metadata “preprocessing” says; its
output is ${exportedNames.logProbabilities} [N, classes].
In float16, weights are stored in 16 bits and computed with in float32. In int8, convolutions compute in 8 bits.
--format timm writes model.safetensors, config.json and a model card, README.md, as model hubs have them.
--format tfjs writes a graph model of TensorFlow.js, classify.js, which prepares images and classifies them, index.html, and
proof.json with test images, which fivecrop verify and the page run.`;

/** `fivecrop export`: see its help text. */
export function exportCommand(): Command {
  return new Command('export')
    .summary('write a checkpoint as an ONNX file, for torch, timm or TensorFlow.js')
    .description(
      'Writes a checkpoint as one ONNX file that holds all that is needed to classify images, or for torch, timm or TensorFlow.js.',
    )
    .argument('<checkpoint>', 'a checkpoint, or the folder of a run, whose best one is taken')
    .argument('<out>', 'the file to write, *.onnx or *.pth, or with --format timm or tfjs a new folder')
    .addOption(
      new Option('--format <name>', 'what is written: by the name of the file without it').choices(exportFormatNames),
    )
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
      'test images in the export, small copies of validation images; synthetic: 16 that show nothing of the data',
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
  const output = createOutput(options['json'] === true);
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  const wishes = wishesFrom(options, isGiven);
  const written = await imagesVisibly(output, ({ signal, onNote, onProgress }) =>
    exportClassifier(checkpoint, out, { ...wishes, signal, onProgress, log: onNote }),
  );
  const { form, ...others } = written;
  output.object({ out, ...others, ...form });
  for (const line of writtenLines(out, written)) output.say(line);
}

/** What was asked for; what was not is as usual. */
function wishesFrom(options: OptionValues, isGiven: (name: string) => boolean): ExportOptions {
  return {
    format: exportFormatNames.find((name) => name === options['format']),
    ...(isGiven('input') ? { input: exportInputs.find((name) => name === options['input']) } : {}),
    ...(isGiven('crops') ? { crops: cropCountFrom(options) } : {}),
    ...(isGiven('precision') ? { precision: exportPrecisions.find((name) => name === options['precision']) } : {}),
    ...(isGiven('tests') ? testsFrom(options['tests']) : {}),
    ...(isGiven('scripts') ? { scripts: true } : {}),
  };
}

function testsFrom(text: unknown): Pick<ExportOptions, 'tests' | 'imagesOfData'> {
  // With their number, so that formats without test images refuse it.
  if (text === 'synthetic') return { tests: usualTests, imagesOfData: false };
  const count = Number(text);
  if (typeof text === 'string' && text.trim() !== '' && Number.isInteger(count) && count >= 0 && count <= mostTests) {
    return { tests: count };
  }
  throw usageError(`--tests takes a whole number from 0 to ${mostTests}, or synthetic, not ${String(text)}.`);
}

function writtenLines(out: string, { format, files, bytes, form, verification, ...facts }: WrittenExport): string[] {
  const { tests, architecture } = facts;
  const size = `${(bytes / 1e6).toFixed(1)} MB`;
  const about: Readonly<Record<ExportFormat, readonly string[]>> = {
    onnx: [`Wrote ${out}, ${size}.`, ...files.slice(1).map((file) => `Wrote ${file}.`)],
    pth: [`Wrote ${out}, ${size}: a state dict for torch.load(…, weights_only=True).`],
    timm: [`Wrote ${out}, ${size}: ${architecture ?? ''}, which timm and transformers load. Its README.md shows how.`],
    tfjs: [`Wrote ${out}, ${size}: a graph model of TensorFlow.js. Its classify.js prepares images and classifies them, its index.html shows it.`], // prettier-ignore
  };
  const accuracy = form ? accuracyLine(form) : undefined;
  const ofData = verification?.ofData ?? tests?.ofData ?? 0;
  return [
    ...about[format],
    ...(accuracy === undefined ? [] : [accuracy]),
    ...(verification ? [verificationLine(verification)] : []),
    ...(tests && tests.count > 0 ? [`fivecrop verify ${out} runs its ${tests.count} test images.`] : []),
    ...(ofData > 0 ? ['It holds small copies of images of the data; --tests synthetic leaves them out.'] : []),
  ];
}

function accuracyLine({ accuracy, precision }: ExportForm): string | undefined {
  if (!accuracy) return undefined;
  const { images, checkpoint, exported } = accuracy;
  return `Accuracy on ${images} validation images: ${exported.toFixed(3)} in ${precision}, ${checkpoint.toFixed(3)} in float32.`;
}

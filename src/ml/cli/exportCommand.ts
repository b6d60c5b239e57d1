import { Command, Option } from 'commander';
import { extname, resolve } from 'node:path';
import { usageError } from '../../protocol/errors.ts';
import { licenceNote } from '../../protocol/licence.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import { writeAtomically } from '../../runs/atomicFile.ts';
import { exportOnnx, exportedInput, exportedOutput } from '../inference/exportOnnx.ts';
import { checkpointPath } from './checkpointPath.ts';
import { createOutput } from './output.ts';

const examples = `
Example:
  fivecrop export runs/NAME flowers.onnx

The file runs in any ONNX Runtime. Its input is ${exportedInput}, float32 [N, 3, S, S], normalized as its metadata
“preprocessing” says; its output is ${exportedOutput} [N, classes], in the order of its metadata “labels”.`;

/** `fivecrop export`: see its help text. */
export function exportCommand(): Command {
  return new Command('export')
    .summary('write a checkpoint as an ONNX file')
    .description('Writes a checkpoint as one ONNX file with its labels and preprocessing in the metadata.')
    .argument('<checkpoint>', 'a checkpoint, or the folder of a run, whose best one is taken')
    .argument('<out>', 'the ONNX file to write')
    .addOption(new Option('--format <name>', 'format of the file').choices(['onnx']).default('onnx'))
    .addHelpText('after', examples)
    .action(exportCheckpoint);
}

async function exportCheckpoint(checkpoint: string, out: string): Promise<void> {
  if (extname(out).toLowerCase() !== '.onnx') throw usageError(`${out}: the file to write must be named *.onnx.`);
  const file = checkpointPath(resolve(checkpoint));
  const bytes = await exportOnnx(file);
  await writeAtomically(out, (handle) => handle.writeFile(bytes));
  const { say } = createOutput(false);
  say(`Wrote ${out}, ${(bytes.byteLength / 1e6).toFixed(1)} MB.`);
  const licence = licenceNote(await readCheckpointMetadata(file));
  if (licence !== undefined) say(licence);
}

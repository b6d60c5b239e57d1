import { stat } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import * as z from 'zod';
import { path } from '../protocol/bounded.ts';
import { usageError, userError } from '../protocol/errors.ts';
import { exportInputs, exportPrecisions } from '../protocol/exportFormat.ts';
import { readCheckpointMetadata } from '../runs/checkpointHeader.ts';
import { cropsInput, runInput } from './inputs.ts';
import { answerOf, defineTool, readsOnly } from './tool.ts';
import { checkpointInside, dataFolder, pathInside, pathShown } from './workplace.ts';

/** A classifier as a file for others. */
export const exportClassifier = defineTool({
  name: 'export_classifier',
  title: 'Export Classifier',
  description:
    'Writes a run as one ONNX file that any ONNX Runtime loads: with pixels as input it takes images of any size and gives probabilities, and holds resize, crops, normalization and labels. Its test images are run before it counts as written. An existing file is kept unless replace is set. The user is asked first.',
  input: z.strictObject({
    run: runInput,
    file: path().describe('The file to write, relative to the workspace; its name ends with .onnx.'),
    input: z
      .enum(exportInputs)
      .default('hwc')
      .describe('What goes in: decoded pixels as [H, W, 3] (hwc) or [N, 3, H, W] (nchw), or normalized images.'),
    crops: cropsInput.default(5),
    precision: z.enum(exportPrecisions).default('float32').describe('Of the weights; below float32 the accuracy is measured.'), // prettier-ignore
    imagesOfData: z
      .boolean()
      .default(false)
      .describe(
        'Whether its test images may be small copies of validation images. If not, they show nothing of the data.',
      ),
    replace: z.boolean().default(false).describe('Whether an existing file is replaced.'),
  }),
  output: z.object({
    file: z.string(),
    bytes: z.number(),
    tests: z.number().describe('Test images in the file, all of which gave what the checkpoint gives.'),
    of: z.string().describe('Which images the accuracy is of.'),
    accuracy: z
      .object({ images: z.number(), checkpoint: z.number(), exported: z.number() })
      .optional()
      .describe('Of the checkpoint and of the file on the same images, if precision is below float32.'),
    notes: z.array(z.string()),
  }),
  effects: { ...readsOnly, readOnlyHint: false, destructiveHint: true },
  prepare: async ({ run, file: given, imagesOfData, replace, ...form }, context) => {
    const { workplace, signal } = context;
    const checkpoint = await checkpointInside(workplace, run);
    const output = await pathInside(workplace, given);
    if (extname(output).toLowerCase() !== '.onnx')
      throw usageError(`${given}: the file to write must be named *.onnx.`);
    const there = await stat(output).catch(() => undefined);
    if (there && !there.isFile()) throw userError(`${given} is not a file: name another one.`);
    if (there && !replace) throw userError(`${given} is there already: name another file, or set replace.`);
    if ((await stat(dirname(output)).catch(() => undefined))?.isDirectory() !== true) {
      throw userError(`There is no folder for ${given}: name a file in one that is there.`);
    }
    const needsData = imagesOfData || form.precision !== 'float32';
    // The images are of the folder that the checkpoint names, and it may name any.
    if (needsData) {
      const { training } = await readCheckpointMetadata(checkpoint);
      await dataFolder(workplace, resolve(training.data), signal);
    }
    const shown = pathShown(workplace, output);
    const copies = imagesOfData ? ', with small copies of validation images in it' : '';
    return {
      question: `Export ${run} to ${shown}${copies}${there ? ', in place of the file that is there' : ''}?`,
      run: async () => {
        const notes: string[] = [];
        const request = { type: 'export' as const, checkpoint, output, ...form, ofData: imagesOfData };
        const { tests, accuracy } = await answerOf(context, request, 'exported', (note) => notes.push(note));
        return {
          file: shown,
          bytes: (await stat(output)).size,
          tests,
          of: accuracy
            ? `${accuracy.images} validation images of the run`
            : 'nothing was measured, as float32 changes nothing',
          ...(accuracy ? { accuracy } : {}),
          notes: notes.slice(0, 20),
        };
      },
    };
  },
});

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import * as z from 'zod';
import { path } from '../protocol/bounded.ts';
import { codeOf, userError } from '../protocol/errors.ts';
import {
  besideOnnx,
  type ExportFormat,
  exportFormatOf,
  exportFormats,
  type ExportWishes,
  exportWishesSchema,
  requireTaken,
} from '../protocol/exportWishes.ts';
import { readCheckpointMetadata } from '../runs/checkpointHeader.ts';
import { runInput } from './inputs.ts';
import { answerOf, defineTool, readsOnly } from './tool.ts';
import { checkpointInside, dataFolder, pathInside, pathShown } from './workplace.ts';

/** A classifier as a file or a folder for others. */
export const exportClassifier = defineTool({
  name: 'export_classifier',
  title: 'Export Classifier',
  description:
    'Writes a run for other programs: as one ONNX file (images of any size in, probabilities out; its test images are run before it counts as written), as weights for torch, as a folder for timm and transformers, or as a folder for TensorFlow.js with a web page. An existing file is kept unless replace is set, and a folder has to be new. The user is asked first.',
  input: z.strictObject({
    run: runInput,
    out: path().describe('What to write, relative to the workspace: a file that ends with .onnx or .pth, or for the formats timm and tfjs a new folder.'), // prettier-ignore
    ...exportWishesSchema.shape,
    imagesOfData: exportWishesSchema.shape.imagesOfData.describe(
      'Whether its test images may be small copies of validation images. If not, they show nothing of the data.',
    ),
    replace: z.boolean().default(false).describe('Whether existing files are replaced.'),
  }),
  output: z.object({
    out: z.string(),
    format: z.string(),
    files: z.array(z.string()).describe('All files that were written.'),
    bytes: z.number(),
    tests: z.number().describe('Test images in it.'),
    verified: z.boolean().describe('Whether they were run, and all gave what the checkpoint gives.'),
    of: z.string().describe('Which images the accuracy is of.'),
    accuracy: z
      .object({ images: z.number(), checkpoint: z.number(), exported: z.number() })
      .optional()
      .describe('Of the checkpoint and of the export on the same images, if precision is below float32.'),
    notes: z.array(z.string()),
  }),
  effects: { ...readsOnly, readOnlyHint: false, destructiveHint: true },
  prepare: async ({ run, out: given, imagesOfData, replace, ...others }, context) => {
    const { workplace, signal } = context;
    const checkpoint = await checkpointInside(workplace, run);
    const output = await pathInside(workplace, given);
    const format = exportFormatOf(output, others.format);
    const wishes = { ...others, format, imagesOfData: imagesOfData ?? false };
    requireTaken(format, wishes);
    const replaced = (await whatIsThere(output, given, wishes)).map((file) => pathShown(workplace, file));
    if (replaced.length > 0 && !replace) throw userError(`${replaced.join(', ')} is there already: name another place, or set replace.`); // prettier-ignore
    // The images are of the folder that the checkpoint names, and it may name any.
    if (imagesOfData === true || (others.precision ?? 'float32') !== 'float32') {
      const { training } = await readCheckpointMetadata(checkpoint);
      await dataFolder(workplace, resolve(training.data), signal);
    }
    const shown = pathShown(workplace, output);
    const { isFile } = exportFormats[format];
    const question = [
      `Export ${run} to ${isFile ? '' : `the new folder `}${shown}`,
      wishes.scripts === true ? ', with its labels and programs beside it' : '',
      imagesOfData === true ? ', with small copies of validation images in it' : '',
      replaced.length > 0 ? `, in place of ${replaced.join(', ')}` : '',
    ];
    return {
      question: `${question.join('')}?`,
      run: async () => {
        const notes: string[] = [];
        const request = { type: 'export' as const, checkpoint, output, ...wishes };
        const written = await answerOf(context, request, 'exported', (note) => notes.push(note));
        const { files, bytes, tests, isVerified, accuracy } = written;
        return {
          ...{ out: shown, format, bytes, tests, verified: isVerified },
          files: files.map((file) => pathShown(workplace, file)),
          of: accuracy
            ? `${accuracy.images} validation images of the run`
            : 'nothing was measured, as the weights are as they were',
          ...(accuracy ? { accuracy } : {}),
          notes: notes.slice(0, 20),
        };
      },
    };
  },
});

type Wanted = Pick<ExportWishes, 'scripts'> & { readonly format: ExportFormat };

/** The files that an export would replace. Throws a user error where it cannot be written in their place, or nowhere. */
async function whatIsThere(output: string, given: string, { format, scripts }: Wanted): Promise<string[]> {
  const statusOf = (file: string) => stat(file).catch(() => undefined);
  if (!exportFormats[format].isFile) {
    const isFree = await readdir(output).then((names) => names.length === 0, isMissing);
    if (isFree) return [];
    throw userError(`There is something at ${given} already: name a new folder.`);
  }
  if ((await statusOf(dirname(output)))?.isDirectory() !== true) {
    throw userError(`There is no folder for ${given}: name a file in one that is there.`);
  }
  const found: string[] = [];
  for (const file of [output, ...(scripts === true ? Object.values(besideOnnx(output)) : [])]) {
    const there = await statusOf(file);
    if (there && !there.isFile()) throw userError(`${basename(file)} is not a file: name another one.`);
    if (there) found.push(file);
  }
  return found;
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

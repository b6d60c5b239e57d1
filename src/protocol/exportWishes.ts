import * as z from 'zod';
import { usageError } from './errors.ts';
import { exportInputs, exportPrecisions } from './exportFormat.ts';

/*
 * What a checkpoint can be exported as, for the shell, the library, the editor and agents.
 */

/** What an export can be asked for beside its format; what is left out is as usual. */
const wishes = {
  input: z
    .enum(exportInputs)
    .describe('What goes in: decoded pixels as [H, W, 3] (hwc) or [N, 3, H, W] (nchw), or normalized images.'),
  crops: z
    .union([z.literal(1), z.literal(5)], 'expected 1 or 5')
    .describe('1 looks at the center crop of each image, 5 at the mean of five crops.'),
  precision: z.enum(exportPrecisions).describe('Of the weights; below float32 the accuracy is measured.'),
  imagesOfData: z.boolean().describe('Whether its test images may be small copies of validation images.'),
  scripts: z
    .boolean()
    .describe('Whether its labels as JSON and programs for Python, Node and a browser lie beside it.'),
};
type ExportWish = keyof typeof wishes;

interface FormatFacts {
  /** Of a file, which is named as it ends; else a new folder is written. */
  readonly isFile: boolean;
  /** What it is for. */
  readonly about: string;
  readonly takes: readonly ExportWish[];
}

/** Every format. A format of a file has the file's ending as its name. */
export const exportFormats = {
  onnx: {
    isFile: true,
    about: 'one file for any ONNX Runtime, with resize, crops, labels and test images in it',
    takes: ['input', 'crops', 'precision', 'imagesOfData', 'scripts'],
  },
  pth: { isFile: true, about: 'the weights under torch’s names, for torch.load', takes: [] },
  timm: { isFile: false, about: 'a folder that timm and transformers load, with a model card', takes: [] },
  tfjs: {
    isFile: false,
    about: 'a folder for TensorFlow.js, with a module and a page that classify images',
    takes: ['crops', 'imagesOfData'],
  },
} as const satisfies Readonly<Record<string, FormatFacts>>;
export type ExportFormat = keyof typeof exportFormats;

export const exportFormatNames = Object.keys(exportFormats) as ExportFormat[];

/** What is wished of an export. Which wishes a format takes, says `requireTaken`. */
export const exportWishesSchema = z
  .object({
    format: z
      .enum(exportFormatNames)
      .describe(
        `What is written: ${toldFormats()}. If not set, the format of a file is told by the ending of its name.`,
      ),
    ...wishes,
  })
  .partial();
export type ExportWishes = z.infer<typeof exportWishesSchema>;

/** Whether a format, with an input, can be asked for something: an ONNX file of prepared images is the network alone. */
export function isTaken(format: ExportFormat, input: ExportWishes['input'], wish: ExportWish): boolean {
  const { takes }: FormatFacts = exportFormats[format];
  return takes.includes(wish) && (input !== 'normalized' || wish === 'input' || wish === 'precision');
}

/** Throws a usage error for a wish that the format has no use for; `false` is none. */
export function requireTaken(format: ExportFormat, given: ExportWishes): void {
  const wish = (Object.keys(wishes) as ExportWish[]).find(
    (name) => (given[name] ?? false) !== false && !isTaken(format, given.input, name),
  );
  if (wish === undefined) return;
  const what = given.input === 'normalized' && format === 'onnx' ? 'input normalized' : `format ${format}`;
  throw usageError(`${wish} cannot be used with the ${what}: leave it out.`);
}

/** The format that was asked for, or that a path means. Throws a usage error where the path does not fit it. */
export function exportFormatOf(out: string, asked?: ExportFormat): ExportFormat {
  const ending = /\.([^./\\]+)$/u.exec(out)?.[1]?.toLowerCase();
  const files = exportFormatNames.filter((name) => exportFormats[name].isFile);
  const named = files.find((name) => name === ending);
  const format = asked ?? named;
  if (format === undefined) {
    const folders = exportFormatNames.filter((name) => !exportFormats[name].isFile).join(' or ');
    throw usageError(
      `${out}: name a file ${files.map((name) => `*.${name}`).join(' or ')}, or choose the format ${folders}, which writes a folder.`,
    );
  }
  const { isFile } = exportFormats[format];
  if (isFile && format !== named) throw usageError(`${out}: a file of the format ${format} must be named *.${format}.`);
  if (!isFile && named !== undefined) {
    throw usageError(`${out}: the format ${format} writes a folder: name one that does not end in .${named}.`);
  }
  return format;
}

/** The formats in words. */
function toldFormats(): string {
  return exportFormatNames.map((name) => `${name} is ${exportFormats[name].about}`).join('; ');
}

/** What `scripts` writes beside an ONNX file. */
export function besideOnnx(file: string) {
  const stem = file.replace(/\.onnx$/iu, '');
  return {
    labels: `${stem}.labels.json`,
    python: `${stem}.classify.py`,
    node: `${stem}.classify.mjs`,
    page: `${stem}.classify.html`,
  };
}

import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { cancelled, messageOf, usageError, userError } from '../../protocol/errors.ts';
import type { ExportForm, ExportInput, ExportPrecision } from '../../protocol/exportFormat.ts';
import {
  type ExportFormat,
  exportFormatOf,
  exportFormats,
  isTaken,
  requireTaken,
} from '../../protocol/exportWishes.ts';
import { licenceNote } from '../../protocol/licence.ts';
import { writeAtomically, writeTextAtomically } from '../../runs/atomicFile.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import { checkpointPath } from '../../runs/checkpointPath.ts';
import { readEvaluations, timeWritten } from '../../runs/evaluations.ts';
import { makeNewFolder } from '../../runs/newFolder.ts';
import { exportCheckpoint } from '../export/exportCheckpoint.ts';
import { exportStateDict } from '../export/exportStateDict.ts';
import { mostTests, usualTests, type WantedTests } from '../export/exportTests.ts';
import type { Verification } from '../export/runTests.ts';
import { readyScripts } from '../export/scripts/readyScripts.ts';
import { tensorflowFolder } from '../export/tensorflow/tensorflowFolder.ts';
import { timmModel } from '../export/timmModel.ts';
import { modelCard } from '../results/modelCard.ts';
import { writeSafetensors } from '../weights/safetensors.ts';

export interface ExportOptions {
  /**
   * `onnx`: one file for any ONNX Runtime; `pth`: the weights for torch; `timm`: a folder that timm and transformers load;
   * `tfjs`: a folder for TensorFlow.js. Without it, that of the file’s ending.
   */
  readonly format?: ExportFormat | undefined;
  /** `onnx`: what goes in, decoded pixels as `[H, W, 3]` (`hwc`, the default) or `[N, 3, H, W]` (`nchw`), or `normalized` images. */
  readonly input?: ExportInput | undefined;
  /** `onnx` of pixels, and `tfjs`: crops of each image, 5 without it. */
  readonly crops?: 1 | 5 | undefined;
  /** `onnx`: of the weights; below `float32` (the default) the accuracy is measured. */
  readonly precision?: ExportPrecision | undefined;
  /** `onnx` of pixels, and `tfjs`: whether test images may be small copies of validation images, as they are without it. */
  readonly imagesOfData?: boolean | undefined;
  /** `onnx` of pixels, and `tfjs`: how many test images there are, 16 without it. */
  readonly tests?: number | undefined;
  /** `onnx` of pixels: writes labels as JSON and programs for Python, Node and a browser beside the file. */
  readonly scripts?: boolean | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Hears what is to be known of the export. */
  readonly log?: ((sentence: string) => void) | undefined;
  /** Breaks off with a `CancelledError`. */
  readonly signal?: AbortSignal | undefined;
}

/** What was written. */
export interface WrittenExport {
  readonly format: ExportFormat;
  /** Paths of all files, the model’s own first. */
  readonly files: readonly string[];
  /** Of the file, without what lies beside it, or of the whole folder. */
  readonly bytes: number;
  /** `onnx`: what the file says of itself. */
  readonly form?: ExportForm;
  /** `onnx` of pixels: what came of its test images. */
  readonly verification?: Verification;
  /** `tfjs`: the test images, which `fivecrop verify` runs. */
  readonly tests?: { readonly count: number; readonly ofData: number };
  /** `tfjs`. */
  readonly crops?: 1 | 5;
  /** `timm`: what it calls the network. */
  readonly architecture?: string;
}

/**
 * Writes a checkpoint, or the best one of a run, for others, as `fivecrop export` does: into the file or the new folder
 * `out`. Throws a `UserError` where the name does not fit the format, for a wish that the format has no use for, for a
 * network that the format cannot hold, and where the disk refuses.
 */
export async function exportClassifier(
  checkpoint: string,
  out: string,
  options: ExportOptions = {},
): Promise<WrittenExport> {
  const format = exportFormatOf(out, options.format);
  requireTaken(format, options);
  if (options.tests !== undefined && !isTaken(format, options.input, 'imagesOfData')) {
    throw usageError(`There are no test images ${options.input === 'normalized' ? 'with the input normalized' : `in the format ${format}`}: leave tests out.`); // prettier-ignore
  }
  const file = checkpointPath(resolve(checkpoint));
  const written = await writers[format](file, out, options);
  let bytes = 0;
  for (const path of exportFormats[format].isFile ? [out] : written.files) bytes += (await stat(path)).size;
  const terms = licenceNote(await readCheckpointMetadata(file));
  if (terms !== undefined) options.log?.(terms);
  return { format, bytes, ...written };
}

type Writer = (file: string, out: string, options: ExportOptions) => Promise<Omit<WrittenExport, 'format' | 'bytes'>>;

const writers: Readonly<Record<ExportFormat, Writer>> = {
  onnx: writeOnnxFile,
  pth: async (file, out, { signal }) => {
    await requireFolder(out);
    await exportStateDict(file, out, signal);
    return { files: [out] };
  },
  timm: writeTimmFolder,
  tfjs: writeTensorflowFolder,
};

function testsOf({ tests: count = usualTests, imagesOfData: ofData = true }: ExportOptions): WantedTests {
  if (Number.isInteger(count) && count >= 0 && count <= mostTests) return { count, ofData };
  throw usageError(`tests: expected a whole number from 0 to ${mostTests}.`);
}

async function writeOnnxFile(file: string, out: string, options: ExportOptions): ReturnType<Writer> {
  const { input = 'hwc', crops = 5, precision = 'float32', scripts: withScripts = false } = options;
  const { signal, onProgress, log } = options;
  await requireFolder(out);
  const { bytes, form, verification } = await exportCheckpoint(file, {
    ...{ input, crops, precision, signal, onProgress, onNote: log },
    tests: testsOf(options),
  });
  if (signal?.aborted) throw cancelled();
  await writeAtomically(out, (handle) => handle.writeFile(bytes));
  const { classes } = await readCheckpointMetadata(file);
  const scripts = withScripts ? readyScripts(out, classes, form) : new Map<string, string>();
  for (const [path, text] of scripts) await writeTextAtomically(path, text);
  return { files: [out, ...scripts.keys()], form, ...(verification ? { verification } : {}) };
}

/** Throws a user error where the folder of a file is not there, before the work is done. */
async function requireFolder(out: string): Promise<void> {
  const folder = dirname(resolve(out));
  const found = await stat(folder).catch((error: unknown) => {
    throw userError(`${out} cannot be written (${messageOf(error)}): name a file in a folder that is there.`, error);
  });
  if (!found.isDirectory()) throw userError(`${folder} is a file: name a folder for ${basename(out)} that is there.`);
}

/** Names of files that model hubs, timm and transformers look for in a model's folder. */
const hubFiles = { weights: 'model.safetensors', config: 'config.json', card: 'README.md' } as const;

async function writeTimmFolder(file: string, out: string, { log, signal }: ExportOptions): ReturnType<Writer> {
  const { config, state, metadata } = await timmModel(file);
  const written = (await timeWritten(file)) ?? '';
  const evaluations = (await readEvaluations(file, log ?? (() => undefined))).filter(({ time }) => time >= written);
  await makeNewFolder(out, 'the model', async (folder) => {
    await writeSafetensors(join(folder, hubFiles.weights), state, { format: 'pt' });
    await writeTextAtomically(join(folder, hubFiles.config), `${JSON.stringify(config, undefined, 2)}\n`);
    await writeTextAtomically(join(folder, hubFiles.card), modelCard({ metadata, evaluations }));
    if (signal?.aborted) throw cancelled();
  });
  return { files: Object.values(hubFiles).map((name) => join(out, name)), architecture: config.architecture };
}

async function writeTensorflowFolder(file: string, out: string, options: ExportOptions): ReturnType<Writer> {
  const { crops: wanted = 5, signal } = options;
  const { contents, crops, tests } = await tensorflowFolder(file, { crops: wanted, tests: testsOf(options), signal });
  await makeNewFolder(out, 'the model', async (folder) => {
    for (const [name, content] of contents) {
      await writeAtomically(join(folder, name), (handle) => handle.writeFile(content));
    }
    if (signal?.aborted) throw cancelled();
  });
  const ofData = tests.filter(({ kind }) => kind === 'validation').length;
  return {
    files: [...contents.keys()].map((name) => join(out, name)),
    crops,
    tests: { count: tests.length, ofData },
  };
}

import { stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { DataReport } from '../../protocol/dataReport.ts';
import { UserError, userError } from '../../protocol/errors.ts';
import { isImageFile } from '../../protocol/imageFiles.ts';
import type { ImportedData } from '../../protocol/importedData.ts';
import { isPassedOver } from '../../protocol/passedOver.ts';
import { trainingConfigSchema } from '../../protocol/trainingConfig.ts';
import { makeNewFolder } from '../../runs/newFolder.ts';
import { unpackArchive } from '../archives/unpackArchive.ts';
import { checkData } from '../data/checkData.ts';
import { classNamesFile } from '../data/classNames.ts';
import type { DecodePool } from '../data/decodePool.ts';
import { scanDataset, scanOptionsOf } from '../data/scanDataset.ts';
import { isWithin } from '../data/walkImages.ts';
import { isFlowersFile } from './flowersImages.ts';
import { innermostFolder } from './folderImages.ts';
import { createLeft, type FoundImages, type NotImported } from './labelledImage.ts';
import { placeImages } from './placeImages.ts';
import { isTableFile } from './readTable.ts';
import { imagesOfFolder, imagesOfTable, isLabelTable, type SourceOptions } from './sourceImages.ts';

export interface ImportOptions extends SourceOptions {
  /** How far it is: bytes while an archive is unpacked, then images. */
  readonly onProgress?: (what: 'Unpacking' | 'Importing images', done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** Threads in which the check looks at the images, which stay the caller's. */
  readonly pool?: DecodePool;
}

/**
 * Makes a data folder of an archive (zip, tar), a table of files and labels (CSV, JSON lines, COCO's JSON) or a folder in
 * one of the usual layouts: `<class>/`, or `train|valid|test/<class>/` where the source has splits. Images are copied; the
 * source stays as it is. The folder appears by one rename when all is in it, or not at all. Throws a user error where the
 * source cannot be read or says no classes, where `folder` holds something, and where the disk refuses; a `CancelledError`
 * once `signal` is aborted.
 */
export async function importDataset(source: string, folder: string, options: ImportOptions): Promise<ImportedData> {
  const from = resolve(source);
  const target = resolve(folder);
  const kind = await kindOf(from);
  if (isWithin(target, from)) throw userError(`${target} lies in ${from}: name a folder outside of what is imported.`);
  return makeNewFolder(target, 'the data set', async (data, unpacked) => {
    const placed = await importInto(from, kind, { data, unpacked }, options);
    const report = await reportOf(data, target, options);
    return { folder: target, ...placed, report };
  });
}

type SourceKind = 'folder' | 'table' | 'archive';

async function kindOf(source: string): Promise<SourceKind> {
  const status = await stat(source).catch((error: unknown) => {
    throw userError(`There is no file or folder ${source} to import.`, error);
  });
  if (status.isDirectory()) return 'folder';
  return isTableFile(source) ? 'table' : 'archive';
}

/** Collects the data set in `data`. */
async function importInto(
  source: string,
  kind: SourceKind,
  { data, unpacked }: { readonly data: string; readonly unpacked: string },
  options: ImportOptions,
): Promise<Omit<ImportedData, 'folder' | 'report'>> {
  const { onProgress, signal } = options;
  const progress = (done: number, total: number) => onProgress?.('Importing images', done, total);
  const finish = async (found: FoundImages, root: string, move: boolean, before: readonly NotImported[] = []) => {
    const nameOf = (file: string) => relative(root, file).split(sep).join('/');
    const placed = await placeImages(data, found, { move, nameOf, onProgress: progress, signal });
    const left = merged([...before, ...found.left, ...placed.left]);
    if (placed.images === 0) throw nothingLeft(source, left);
    return { images: placed.images, classes: placed.classes, left, notes: [...found.notes] };
  };
  if (kind === 'table') return finish(await imagesOfTable(source, options), dirname(source), false);
  if (kind === 'folder') {
    return finish(await imagesOfFolder(await innermostFolder(source), options), source, false);
  }
  const notTaken = await unpackImages(source, unpacked, options);
  const images = options.images === undefined ? undefined : join(unpacked, options.images);
  if (images !== undefined && !isWithin(images, unpacked)) throw userError(`--images ${options.images ?? ''} is outside of ${source}.`); // prettier-ignore
  try {
    const root = await innermostFolder(unpacked);
    return await finish(await imagesOfFolder(root, { ...options, images }), unpacked, true, notTaken);
  } catch (error) {
    throw renamed(error, unpacked, source);
  }
}

/** Unpacks images and what may list them; returns the files that were left in the archive. */
async function unpackImages(archive: string, folder: string, options: ImportOptions): Promise<readonly NotImported[]> {
  const { onProgress, signal } = options;
  const left = createLeft();
  await unpackArchive(archive, folder, {
    take: (path) => {
      const parts = path.split('/');
      const name = parts.at(-1) ?? '';
      if (parts.some(isPassedOver)) return undefined;
      if (isImageFile(name) || isLabelTable(name) || isFlowersFile(name) || name === classNamesFile) return path;
      left.add(
        /\.(?:zip|tar|tgz|gz|zst|7z|rar)$/iu.test(name) ? 'an archive in the archive' : 'not an image by its name',
        path,
      );
      return undefined;
    },
    onProgress: (done, total) => onProgress?.('Unpacking', done, total),
    ...(signal && { signal }),
  });
  return left.all();
}

/** One list of files for each reason. */
function merged(left: readonly NotImported[]): ImportedData['left'] {
  const all = createLeft();
  for (const { reason, files } of left) for (const file of files) all.add(reason, file);
  return all.all().map(({ reason, files }) => ({ reason, files: [...files] }));
}

function nothingLeft(source: string, left: readonly NotImported[]): Error {
  const why = left.map(({ reason, files }) => `${files.length}: ${reason}`).join('; ');
  return userError(`${source} has no images that can be imported${why === '' ? '' : ` (${why})`}.`);
}

/** Checks the folder `data` that is to become `target`, and says all of that. */
async function reportOf(data: string, target: string, { pool, signal }: ImportOptions): Promise<DataReport> {
  const config = trainingConfigSchema.parse({ data, network: { kind: 'architecture', name: 'any' } });
  try {
    const dataset = await scanDataset(data, scanOptionsOf(config));
    const report = await checkData(dataset, { decode: false, ...(pool && { pool }), ...(signal && { signal }) });
    return { ...report, data: target };
  } catch (error) {
    throw renamed(error, data, target);
  }
}

/** An error's sentence with the folder that is known to the user in place of one that is not. */
function renamed(error: unknown, unknown: string, known: string): unknown {
  if (!(error instanceof UserError)) return error;
  return new UserError(error.message.replaceAll(unknown, known), error.kind, { cause: error.cause });
}

import * as z from 'zod';
import { count, line, list, mostImages, mostListed, path, sentence } from './bounded.ts';
import { dataReportSchema } from './dataReport.ts';

/** What an import of a data set made. */
export const importedDataSchema = z.object({
  /** Absolute path of the new data folder. */
  folder: path(),
  images: count(),
  classes: count(),
  /** Files that were left out, by a few words that say why: “not there”. Named as the source names them. */
  left: list(z.object({ reason: sentence(), files: list(line(), mostImages) }), mostListed),
  /** Sentences on how the source was read, where it could be read otherwise. */
  notes: list(sentence(), mostListed),
  /** What the check of the new folder says, without decoding. */
  report: dataReportSchema,
});
export type ImportedData = z.infer<typeof importedDataSchema>;

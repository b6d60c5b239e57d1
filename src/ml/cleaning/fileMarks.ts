import { stat } from 'node:fs/promises';
import { inChunks } from '../data/inChunks.ts';

/** What files are known again by as long as nobody has touched them: path, size and time of the last change. */
export async function fileMarks(files: readonly string[]): Promise<string[]> {
  const marks = new Map<string, string>();
  await inChunks(files, { size: 64, threads: 4 }, async (chunk) => {
    const found = await Promise.all(chunk.map((file) => stat(file).catch(() => undefined)));
    chunk.forEach((file, at) => marks.set(file, `${file}\n${found[at]?.size ?? ''}\n${found[at]?.mtimeMs ?? ''}`));
  });
  return files.map((file) => marks.get(file) ?? file);
}

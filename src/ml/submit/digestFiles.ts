import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { sha256OfFile } from '../weights/fileHash.ts';

/** The sha256 in hex of files together: of their paths below `folder`, with `/`, and of what is in them. */
export async function digestFiles(folder: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [...files].sort()) hash.update(`${await sha256OfFile(join(folder, file))}  ${file}\n`);
  return hash.digest('hex');
}

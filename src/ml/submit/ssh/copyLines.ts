import { open, stat, truncate, writeFile } from 'node:fs/promises';
import { userError } from '../../../protocol/errors.ts';
import { writeAtomically } from '../../../runs/atomicFile.ts';
import { diskError } from '../../../runs/diskError.ts';

const lineFeed = 0x0a;
const partBytes = 1 << 20;
/** Bytes of a line that a run never writes. */
const longestLine = 1 << 25;

/** How far one file of lines is the other: bytes of both. */
export interface CopiedLines {
  readonly from: number;
  readonly to: number;
}

/**
 * Appends to `file` the whole lines that `copy` has more, changed by `translate`; a file that is not the beginning of the
 * copy is replaced. `before` is what the last call with the same files returned; without it, both are compared from their
 * beginning. Throws a user error where the disk refuses.
 */
export async function copyLines(
  copy: string,
  file: string,
  translate: (text: string) => string,
  before?: CopiedLines,
): Promise<CopiedLines | undefined> {
  const size = await sizeOf(copy);
  if (size === undefined) return before;
  const isSame = before !== undefined && size >= before.from && (await sizeOf(file)) === before.to;
  const common = isSame ? before : await compare(copy, file, translate);
  try {
    if (common === undefined) return await replace(copy, file, translate);
    const present = await sizeOf(file);
    // What was broken off in the middle of a line.
    if (present !== undefined && present > common.to) await truncate(file, common.to);
    let { from, to } = common;
    for await (const { text, next } of wholeLines(copy, from)) {
      const translated = translate(text);
      await writeFile(file, translated, { flag: 'a' });
      to += Buffer.byteLength(translated);
      from = next;
    }
    return { from, to };
  } catch (error) {
    throw diskError(error, file);
  }
}

async function replace(copy: string, file: string, translate: (text: string) => string): Promise<CopiedLines> {
  let [from, to] = [0, 0];
  await writeAtomically(file, async (handle) => {
    for await (const { text, next } of wholeLines(copy, 0)) {
      const bytes = Buffer.from(translate(text));
      await handle.writeFile(bytes);
      to += bytes.length;
      from = next;
    }
  });
  return { from, to };
}

/** Where the lines of `file` end in both; undefined where they are not the first lines of the copy. */
async function compare(
  copy: string,
  file: string,
  translate: (text: string) => string,
): Promise<CopiedLines | undefined> {
  if ((await sizeOf(file)) === undefined) return { from: 0, to: 0 };
  const theirs = eachLine(copy);
  let [from, to] = [0, 0];
  try {
    for await (const ours of eachLine(file)) {
      const { value: line, done } = await theirs.next();
      if (done === true || translate(line) !== ours) return undefined;
      from += Buffer.byteLength(line);
      to += Buffer.byteLength(ours);
    }
    return { from, to };
  } finally {
    await theirs.return(undefined);
  }
}

/** The whole lines of a file, each with its line feed. */
async function* eachLine(file: string): AsyncGenerator<string, undefined> {
  for await (const { text } of wholeLines(file, 0)) {
    for (const line of text.split('\n').slice(0, -1)) yield `${line}\n`;
  }
  return undefined;
}

/** The whole lines of a file from a byte on, many at a time, and the byte after them. */
async function* wholeLines(
  file: string,
  from: number,
): AsyncGenerator<{ readonly text: string; readonly next: number }> {
  const handle = await open(file);
  try {
    let next = from;
    let buffer = Buffer.allocUnsafe(partBytes);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, next);
      const end = buffer.subarray(0, bytesRead).lastIndexOf(lineFeed) + 1;
      next += end;
      if (end > 0) yield { text: buffer.toString('utf8', 0, end), next };
      if (bytesRead < buffer.length) return;
      if (end > 0) continue;
      if (buffer.length > longestLine) throw userError(`${file} has a line that is too long for one of a run.`);
      buffer = Buffer.allocUnsafe(buffer.length * 2);
    }
  } finally {
    await handle.close();
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    (status) => (status.isFile() ? status.size : undefined),
    () => undefined,
  );
}

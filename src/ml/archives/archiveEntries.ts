import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import type { ReadableStream, ReadableWritablePair } from 'node:stream/web';
import { createGunzip } from 'node:zlib';
import * as zlib from 'node:zlib';
import crc32 from 'crc-32';
import { createTarDecoder, type ParsedTarEntry } from 'modern-tar';
import { type Entry, getFileNameLowLevel, openPromise, type ZipFile } from 'yauzl';
import { userError } from '../../protocol/errors.ts';

/** A file or folder in an archive, as the archive tells of it: nothing of it is to be trusted yet. */
export interface ArchiveEntry {
  /** As it is written there, maybe with a slash at its end. */
  readonly name: string;
  /** `other` says what it is: “a symbolic link”. */
  readonly kind: 'file' | 'folder' | { readonly other: string };
  /** Size of the content that it claims. */
  readonly bytes: number;
  /** The content; to be asked for once, and of a tar before the next entry is asked for. */
  readonly content: () => Promise<Readable>;
}

/** How an archive is packed. */
export type ArchiveKind = 'zip' | 'tar' | 'tar.gz' | 'tar.zst';

const longestSignature = 262;

/** What archives begin with, as Latin-1, and at which byte. */
const signatures: readonly (readonly [at: number, bytes: string, kind: ArchiveKind | { readonly unread: string }])[] = [
  [0, 'PK\x03\x04', 'zip'],
  [0, 'PK\x05\x06', 'zip'],
  [0, '\x1f\x8b', 'tar.gz'],
  [0, '\x28\xb5\x2f\xfd', 'tar.zst'],
  [257, 'ustar', 'tar'],
  [0, 'BZh', { unread: 'a bzip2 archive' }],
  [0, '\xfd7zXZ\0', { unread: 'an xz archive' }],
  [0, '7z\xbc\xaf\x27\x1c', { unread: 'a 7-Zip archive' }],
  [0, 'Rar!', { unread: 'a RAR archive' }],
  [0, 'PK\x07\x08', { unread: 'a part of a zip archive in several files' }],
];

/**
 * What kind of archive a file is, by how it begins; a tar of the oldest form has no mark, and is told by its name. Undefined
 * where it is none. Throws a user error for archives that are not read here.
 */
export async function archiveKindOf(path: string, handle: FileHandle): Promise<ArchiveKind | undefined> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(longestSignature), 0, longestSignature, 0);
  const head = buffer.toString('latin1', 0, bytesRead);
  const [, , kind] = signatures.find(([at, bytes]) => head.startsWith(bytes, at)) ?? [];
  if (typeof kind === 'object') {
    throw userError(`${path} is ${kind.unread}, which is not read here: unpack it, or pack it as zip or tar.gz.`);
  }
  return kind ?? (/\.tar$/iu.test(path) ? 'tar' : undefined);
}

/** The entries of a zip archive, with which it is closed. Sizes and names are those of its directory at the end. */
export async function openZip(
  path: string,
): Promise<{ readonly entries: AsyncIterable<ArchiveEntry>; readonly close: () => void }> {
  // Names are decoded here: yauzl would refuse some in words of its own.
  const zip = await openPromise(path, { autoClose: false, lazyEntries: true, decodeStrings: false });
  return { entries: zipEntries(path, zip), close: () => zip.close() };
}

async function* zipEntries(path: string, zip: ZipFile): AsyncIterable<ArchiveEntry> {
  for await (const entry of zip.eachEntry()) {
    const name = zipName(entry);
    const kind = zipKind(entry, name);
    const content = async () => {
      if (entry.isEncrypted()) throw userError(`${path} is encrypted (${name}): unpack it with its password first.`);
      if (!entry.canDecodeFileData()) {
        throw userError(`${path} packs ${name} by a method that is not read here (${entry.compressionMethod}): pack it again.`); // prettier-ignore
      }
      return into(await zip.openReadStreamPromise(entry), checkedBy(entry.crc32));
    };
    yield { name, kind, bytes: entry.uncompressedSize, content };
  }
}

/** Whether file names are UTF-8, in the flags of an entry. */
const utf8Flag = 0x800;

/** Archivers of macOS write UTF-8 without saying so, which nobody's CP437 looks like. */
function zipName({ generalPurposeBitFlag: flags, fileNameRaw: raw, extraFields }: Entry): string {
  return getFileNameLowLevel(isUtf8(raw) ? flags | utf8Flag : flags, raw, extraFields, false);
}

/** Passes bytes on, and fails at the end if their CRC-32 is another. */
function checkedBy(expected: number): Transform {
  let found = 0;
  return new Transform({
    transform: (chunk: Uint8Array, _, done) => {
      found = crc32.buf(chunk, found);
      done(null, chunk);
    },
    flush: (done) => done(found >>> 0 === expected ? null : new Error('a checksum is wrong')),
  });
}

/** By Unix' mode, which is in the upper half of the attributes where the program that packed it knew one. */
function zipKind({ externalFileAttributes }: Entry, name: string): ArchiveEntry['kind'] {
  const type = (externalFileAttributes >>> 28) & 0xf;
  if (type === 0xa) return { other: 'a symbolic link' };
  if (type !== 0 && type !== 0x8 && type !== 0x4) return { other: 'not an ordinary file' };
  return type === 0x4 || /[/\\]$/u.test(name) ? 'folder' : 'file';
}

/**
 * The entries of a tar archive, one after the other; `onBytes` hears how many bytes of the file have been read since the last
 * time. Fails once `signal` is aborted, also within what is passed over.
 */
export async function* tarEntries(
  path: string,
  kind: Exclude<ArchiveKind, 'zip'>,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): AsyncIterable<ArchiveEntry> {
  const source = createReadStream(path, { highWaterMark: 256 * 1024, ...(signal && { signal }) });
  const counted = new Transform({
    transform: (chunk: Uint8Array, _, done) => {
      onBytes(chunk.byteLength);
      done(null, chunk);
    },
  });
  const sparse = new Set<string>();
  const bytes = into(plainTar(path, kind, source, counted), findOldSparse(sparse));
  const decoder = createTarDecoder({ strict: true }) as unknown as ReadableWritablePair<ParsedTarEntry, Uint8Array>;
  const web = Readable.toWeb(bytes) as ReadableStream<Uint8Array>;
  try {
    for await (const { header, body } of web.pipeThrough(decoder)) {
      const reading = { begun: false };
      const content = () => {
        reading.begun = true;
        return Promise.resolve(Readable.fromWeb(body));
      };
      const isSparse =
        sparse.has(nameInHeader(header.name)) ||
        Object.keys(header.pax ?? {}).some((key) => key.startsWith('GNU.sparse.'));
      yield {
        name: header.name,
        kind: isSparse ? sparseFile : tarKind(header),
        bytes: header.size,
        content,
      };
      if (!reading.begun) await body.cancel();
    }
  } catch (error) {
    // The decoder takes what says where many holes are for content, and stumbles behind it.
    for (const name of sparse) yield { name: Buffer.from(name, 'latin1').toString(), kind: sparseFile, bytes: 0, content: nothing }; // prettier-ignore
    throw error;
  } finally {
    source.destroy();
    bytes.destroy();
  }
}

const sparseFile = { other: 'a sparse file' };
const nothing = () => Promise.resolve(Readable.from([]));
const tarBlock = 512;
const longestInHeader = 100;

/** The part of an entry's name that its own header holds. */
function nameInHeader(name: string): string {
  return Buffer.from(name).toString('latin1', 0, longestInHeader);
}

/**
 * Passes a tar on, and adds the names of GNU's older form of sparse files, which the decoder takes for plain ones. A block
 * that looks like the header of one counts even within a file: only a name that an entry has too means anything.
 */
function findOldSparse(found: Set<string>): Transform {
  let rest: Buffer = Buffer.alloc(0);
  return new Transform({
    transform: (chunk: Buffer, _, done) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = bytes.length - (bytes.length % tarBlock);
      for (let at = 0; at < end; at += tarBlock) {
        if (bytes[at + 156] !== 0x53 || bytes.toString('latin1', at + 257, at + 265) !== 'ustar  \0') continue;
        found.add(bytes.toString('latin1', at, at + longestInHeader).replace(/\0.*$/su, ''));
      }
      rest = bytes.subarray(end);
      done(null, chunk);
    },
  });
}

/** Has a stream go through another; what fails ahead fails behind too. */
function into<Next extends Transform>(from: Readable, next: Next): Next {
  from.on('error', (error) => next.destroy(error));
  next.on('close', () => from.destroy());
  return from.pipe(next);
}

function plainTar(path: string, kind: Exclude<ArchiveKind, 'zip'>, source: Readable, counted: Transform): Readable {
  const read = into(source, counted);
  if (kind === 'tar') return read;
  if (kind === 'tar.gz') return into(read, createGunzip());
  const zstd = (zlib as { readonly createZstdDecompress?: () => Transform }).createZstdDecompress;
  if (zstd) return into(read, zstd());
  source.destroy();
  throw userError(`${path} is packed by Zstandard, which needs Node 22.15 or newer: pack it as tar.gz or zip.`);
}

const tarKinds: Readonly<Record<string, string>> = {
  link: 'a hard link',
  symlink: 'a symbolic link',
  'character-device': 'a device',
  'block-device': 'a device',
  fifo: 'a FIFO',
};

function tarKind({ type = 'file', linkname }: ParsedTarEntry['header']): ArchiveEntry['kind'] {
  if (type === 'file') return 'file';
  if (type === 'directory') return 'folder';
  const what = tarKinds[type] ?? 'not an ordinary file';
  return { other: linkname === undefined || linkname === '' ? what : `${what} to ${linkname}` };
}

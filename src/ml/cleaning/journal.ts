import { open, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DataEdit,
  type EditStep,
  journalFile,
  type JournalLine,
  journalLineSchema,
} from '../../protocol/dataEdits.ts';
import { codeOf, userError } from '../../protocol/errors.ts';
import { type FileLimit, readBoundedText } from '../../runs/boundedFile.ts';
import { syncFolder } from '../../runs/atomicFile.ts';
import { requireOrdinaryFile } from './requireInside.ts';

const limit: FileLimit = { what: 'a journal of edits', bytes: 512 * 1024 * 1024 };

export interface JournalEntry {
  readonly id: number;
  /** ISO 8601. */
  readonly time: string;
  readonly edit: DataEdit;
  readonly steps: EditStep[];
}

export type Direction = 'edit' | 'undo' | 'redo';

/** What a journal says is the case. */
export interface Journal {
  /** Edits that count, the first one first. */
  readonly done: readonly JournalEntry[];
  /** Edits that were undone and can be done again, the last undone last. */
  readonly undone: readonly JournalEntry[];
  /** What was begun and has no end: its process was killed. */
  readonly pending: { readonly direction: Direction; readonly entry: JournalEntry } | undefined;
  readonly nextId: number;
  /** Bytes of whole lines, and whether a part of one follows them. */
  readonly bytes: number;
  readonly isTorn: boolean;
}

/** Reads the journal of a data folder; an empty one if there is none. Throws a user error for one that is damaged. */
export async function readJournal(root: string): Promise<Journal> {
  const file = join(root, journalFile);
  await requireOrdinaryFile(file);
  const text = await readBoundedText(file, limit).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').slice(0, -1);
  const bytes = Buffer.byteLength(whole);
  const empty: Told = { done: [], undone: [], pending: undefined, nextId: 1 };
  const told = lines.map((line, at) => parseLine(file, line, at + 1)).reduce(withLine, empty);
  return { ...told, bytes, isTorn: whole.length < text.length };
}

function parseLine(file: string, line: string, number: number): JournalLine {
  try {
    return journalLineSchema.parse(JSON.parse(line));
  } catch (error) {
    throw userError(
      `${file} is damaged in line ${number}, or of a newer Fivecrop: restore it, or move it away to begin a new one.`,
      error,
    );
  }
}

/** A journal without its place in the file. */
type Told = Omit<Journal, 'bytes' | 'isTorn'>;

/** What is the case after one more line. */
function withLine(told: Told, line: JournalLine): Told {
  const { done, undone, pending } = told;
  switch (line.event) {
    case 'edit':
      return { ...told, nextId: line.id + 1, pending: { direction: 'edit', entry: line } };
    case 'undo':
    case 'redo': {
      const entry = (line.event === 'undo' ? done : undone).at(-1);
      return { ...told, pending: entry && { direction: line.event, entry } };
    }
    case 'failed':
      return { ...told, pending: undefined };
    case 'done': {
      if (!pending) return told;
      const { direction, entry } = pending;
      const after = {
        edit: { done: [...done, entry], undone: [] },
        undo: { done: done.slice(0, -1), undone: [...undone, entry] },
        redo: { done: [...done, entry], undone: undone.slice(0, -1) },
      };
      return { ...told, ...after[direction], pending: undefined };
    }
  }
}

/** Appends a line, which has reached the disk before this returns; what is left of a torn line is cut off before. */
export async function appendLine(root: string, journal: Journal, line: JournalLine): Promise<Journal> {
  const file = join(root, journalFile);
  const { bytes, isTorn } = journal;
  if (isTorn) await truncate(file, bytes);
  const text = `${JSON.stringify(line)}\n`;
  const handle = await open(file, 'a');
  try {
    await handle.appendFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  if (bytes === 0) await syncFolder(root);
  return { ...withLine(journal, line), bytes: bytes + Buffer.byteLength(text), isTorn: false };
}

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
/** Bytes that are left for the line that says how an edit ended: its sentence has six for a character at most. */
const longestEnd = 1024 * 1024;

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
  const bytes = Buffer.byteLength(whole);
  const told: Told = { done: [], undone: [], pending: undefined, nextId: 1 };
  for (const [at, line] of whole.split('\n').slice(0, -1).entries()) {
    if (!takeLine(told, parseLine(file, line, at + 1))) throw damaged(file, at + 1);
  }
  return { ...told, bytes, isTorn: whole.length < text.length };
}

function parseLine(file: string, line: string, number: number): JournalLine {
  try {
    return journalLineSchema.parse(JSON.parse(line));
  } catch (error) {
    throw damaged(file, number, error);
  }
}

function damaged(file: string, number: number, cause?: unknown): Error {
  return userError(
    `${file} is damaged in line ${number}, or of a newer Fivecrop: restore it, or move it away to begin a new one.`,
    cause,
  );
}

/** A journal while its lines are read, without its place in the file. */
interface Told {
  readonly done: JournalEntry[];
  readonly undone: JournalEntry[];
  pending: Journal['pending'];
  nextId: number;
}

/** Adds one more line to what is the case; false if it cannot follow those before it. */
function takeLine(told: Told, line: JournalLine): boolean {
  const { done, undone, pending } = told;
  if (line.event === 'done' || line.event === 'failed') {
    if (pending?.entry.id !== line.id) return false;
    told.pending = undefined;
    if (line.event === 'done') bringAbout(told, pending);
    return true;
  }
  if (pending) return false;
  if (line.event === 'edit') {
    if (line.id !== told.nextId) return false;
    told.nextId++;
    told.pending = { direction: 'edit', entry: line };
    return true;
  }
  const entry = (line.event === 'undo' ? done : undone).at(-1);
  if (entry?.id !== line.id) return false;
  told.pending = { direction: line.event, entry };
  return true;
}

function bringAbout({ done, undone }: Told, { direction, entry }: NonNullable<Journal['pending']>): void {
  if (direction === 'edit') undone.length = 0;
  else (direction === 'undo' ? done : undone).pop();
  (direction === 'undo' ? undone : done).push(entry);
}

/**
 * Appends a line, which has reached the disk before this returns; what is left of a torn line is cut off before. Throws a
 * user error if nothing more fits into a journal than how this would end.
 */
export async function appendLine(root: string, journal: Journal, line: JournalLine): Promise<Journal> {
  const file = join(root, journalFile);
  const { done, undone, pending, nextId, bytes, isTorn } = journal;
  const text = `${JSON.stringify(line)}\n`;
  const size = bytes + Buffer.byteLength(text);
  const isBeginning = line.event !== 'done' && line.event !== 'failed';
  if (isBeginning && size + longestEnd > limit.bytes) {
    throw userError(`${file} is full: move it away to begin a new one, after which earlier edits cannot be undone.`);
  }
  const told: Told = { done: [...done], undone: [...undone], pending, nextId };
  if (!takeLine(told, line)) throw new Error(`a line ${line.event} ${line.id} cannot follow the lines of ${file}`);
  if (isTorn) await truncate(file, bytes);
  const handle = await open(file, 'a');
  try {
    await handle.appendFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  if (bytes === 0) await syncFolder(root);
  return { ...told, bytes: size, isTorn: false };
}

import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type DataEdit, journalFile, type ListedEdit } from '../../protocol/dataEdits.ts';
import { messageOf } from '../../protocol/errors.ts';
import { ignoreFile } from '../../protocol/ignoreList.ts';
import { diskError } from '../../runs/diskError.ts';
import { withFileLock } from '../../runs/lock.ts';
import { sweepTemporaryFiles } from '../../runs/temporaryFiles.ts';
import { inverseStep, makeSteps } from './editSteps.ts';
import { appendLine, type Direction, type Journal, type JournalEntry, readJournal } from './journal.ts';
import { type FoldersAre, planEdit } from './planEdit.ts';
import { requireInside, requireOrdinaryFile } from './requireInside.ts';

/** Edits a data folder so that every edit can be taken back. Of processes that edit it at once, one waits for the other. */
export interface DataEditor {
  /** Makes an edit. Throws a user error where it cannot be made; all is as it was then. */
  edit(edit: DataEdit, foldersAre: FoldersAre): Promise<void>;
  /** Takes the last edit back, and returns it; undefined if there is none. Throws as `edit` does. */
  undo(): Promise<DataEdit | undefined>;
  /** Makes the edit again that was undone last, and returns it; undefined if there is none. Throws as `edit` does. */
  redo(): Promise<DataEdit | undefined>;
  /** What the journal has, the first edit first. What a killed process had begun is finished or taken back before. */
  edits(): Promise<ListedEdit[]>;
}

const lockFile = '.fivecrop-edits.lock';

/** Opens nothing yet. */
export function createDataEditor(folder: string): DataEditor {
  const root = resolve(folder);
  let known: Journal | undefined;

  /** Runs `work` with the lock, and with a journal in which nothing is pending; `work` returns the journal after it. */
  async function exclusively(work: (journal: Journal) => Promise<Journal>): Promise<Journal> {
    const lock = join(root, lockFile);
    try {
      for (const name of [lockFile, journalFile, ignoreFile]) await requireOrdinaryFile(join(root, name));
      return await withFileLock(lock, async () => {
        const size = (await stat(join(root, journalFile)).catch(() => undefined))?.size ?? 0;
        // Another process may have written to it.
        const found = known?.bytes === size ? known : await readJournal(root);
        known = undefined;
        const settled = found.pending ? await recover(root, found) : found;
        return (known = await work(settled));
      });
    } catch (error) {
      throw diskError(error, lock);
    }
  }

  async function inTurn(direction: 'undo' | 'redo'): Promise<DataEdit | undefined> {
    let entry: JournalEntry | undefined;
    await exclusively(async (journal) => {
      entry = (direction === 'undo' ? journal.done : journal.undone).at(-1);
      return entry ? carryOut(root, journal, direction, entry) : journal;
    });
    return entry?.edit;
  }

  return {
    edit: async (edit, foldersAre) => {
      await exclusively(async (journal) => {
        const steps = await planEdit(root, foldersAre, edit);
        const entry = { id: journal.nextId, time: new Date().toISOString(), edit, steps };
        return carryOut(root, journal, 'edit', entry);
      });
    },
    undo: () => inTurn('undo'),
    redo: () => inTurn('redo'),
    edits: async () => {
      const found = await readJournal(root);
      const { done, undone } = found.pending ? await exclusively((journal) => Promise.resolve(journal)) : found;
      const listed = (entries: readonly JournalEntry[], isUndone: boolean) =>
        entries.map(({ id, time, edit }) => ({ id, time, edit, undone: isUndone }));
      return [...listed(done, false), ...listed(undone.toReversed(), true)];
    },
  };
}

/** Writes what is to be done, does it, and writes that it is done, or why it is not. */
async function carryOut(root: string, journal: Journal, direction: Direction, entry: JournalEntry): Promise<Journal> {
  await requireInside(root, entry.steps);
  const time = new Date().toISOString();
  const line =
    direction === 'edit'
      ? { event: 'edit' as const, version: 1 as const, ...entry }
      : { event: direction, id: entry.id, time };
  return finish(root, await appendLine(root, journal, line), direction, entry);
}

async function finish(root: string, journal: Journal, direction: Direction, entry: JournalEntry): Promise<Journal> {
  const { id, steps } = entry;
  const failure = await makeSteps(root, direction === 'undo' ? steps.toReversed().map(inverseStep) : steps);
  if (failure !== undefined) {
    await appendLine(root, journal, { event: 'failed', id, reason: messageOf(failure) });
    throw failure;
  }
  return appendLine(root, journal, { event: 'done', id });
}

/** Goes on with what a process that was killed had begun; what cannot be finished any more is taken back. */
async function recover(root: string, journal: Journal): Promise<Journal> {
  await sweepTemporaryFiles(root, [ignoreFile, lockFile]);
  if (!journal.pending) return journal;
  const { direction, entry } = journal.pending;
  await requireInside(root, entry.steps);
  for (const step of entry.steps) {
    if (step.step === 'copy') await sweepTemporaryFiles(join(root, dirname(step.to)), [basename(step.to)]);
  }
  return finish(root, journal, direction, entry).catch(async (error: unknown) => {
    const after = await readJournal(root);
    if (after.pending) throw error;
    return after;
  });
}

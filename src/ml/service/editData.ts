import type { CleaningAction } from '../../protocol/cleaning.ts';
import type { DataEdit, ListedEdit } from '../../protocol/dataEdits.ts';
import { cancelled, messageOf, UserError, userError } from '../../protocol/errors.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { createDataEditor, type DataEditor } from '../cleaning/dataEditor.ts';
import { fileMarks } from '../cleaning/fileMarks.ts';
import type { FoldersAre } from '../cleaning/planEdit.ts';
import type { Dataset } from '../data/scanDataset.ts';
import { chooseEngine } from '../engine/chooseEngine.ts';
import { type FeatureModel, openFeatureModel } from '../features/featureModel.ts';
import { loadedSource } from './classifierPool.ts';

/** Sessions over data folders that stay open for the next requests that ask for the same. */
export interface KeptSession<Session> {
  get(name: readonly unknown[], open: () => Promise<Session>): Promise<Session>;
  /** Closes the session that was asked for last. */
  close(): Promise<void>;
}

/** Sessions that are open at once: two pages take turns, and each session holds a network and the features of a folder. */
const mostSessions = 2;

export function createKeptSession<Session extends { dispose(): Promise<void> }>(): KeptSession<Session> {
  /** By name, the one that was asked for last at the end. */
  const opened = new Map<string, Session>();
  const close = async (name: string | undefined) => {
    const old = opened.get(name ?? '');
    opened.delete(name ?? '');
    await old?.dispose();
  };
  return {
    get: async (parts, open) => {
      const name = JSON.stringify(parts);
      const known = opened.get(name);
      opened.delete(name);
      // Ahead of the opening, which needs the memory.
      if (!known && opened.size === mostSessions) await close([...opened.keys()][0]);
      const session = known ?? (await open());
      opened.set(name, session);
      return session;
    },
    close: () => close([...opened.keys()].at(-1)),
  };
}

/** What tells the features of a source from those of another, also where a run has written a better checkpoint to the same path. */
export async function featuresKey(source: EditRequest['source']): Promise<readonly unknown[]> {
  return [source, await fileMarks('path' in source ? [source.path] : [])];
}

/** Works through requests one after the other. */
export function oneAfterTheOther<Request>(
  work: (request: Request, context: RequestContext) => Promise<void>,
): (request: Request, context: RequestContext) => Promise<void> {
  let before: Promise<unknown> = Promise.resolve();
  return (request, context) => {
    const turn = before.then(() => work(request, context));
    before = turn.catch(() => undefined);
    return turn;
  };
}

type EditRequest = Extract<ServiceRequestBody, { type: 'clean' | 'label' }>;

/** Opens the features of a request, and with them what `open` makes of them, which owns the model then. */
export async function withFeatures<Session>(
  { source, engine, device }: Pick<EditRequest, 'source' | 'engine' | 'device'>,
  { signal, answer }: RequestContext,
  open: (model: FeatureModel, log: (message: string) => void) => Promise<Session>,
): Promise<Session> {
  const log = (message: string) => answer({ type: 'log', level: 'info', message });
  answer({ type: 'progress', what: 'Loading the network', done: 0 });
  const placement = await chooseEngine({ engine, device, log });
  const model = await openFeatureModel(loadedSource(source), placement, { signal, log });
  try {
    return await open(model, log);
  } catch (error) {
    await model.dispose();
    throw error;
  }
}

/** What all figures after an edit have in common. */
export interface AfterEdit {
  readonly undo?: DataEdit;
  readonly redo?: DataEdit;
  readonly edits: number;
  readonly milliseconds: number;
}

/**
 * Makes an edit, or takes one back, and returns what `look` says then; without `look`, undefined. An edit after which there
 * is nothing to look at is taken back. `signal` cancels until the disk changes.
 */
export async function editThenLook<Figures>(
  { data, action }: Pick<EditRequest, 'data' | 'action'>,
  { splitBy }: Dataset,
  signal: AbortSignal,
  look: ((signal: AbortSignal) => Promise<Figures>) | undefined,
): Promise<(Figures & AfterEdit) | undefined> {
  const editor = createDataEditor(data);
  const startedAt = performance.now();
  if (signal.aborted) throw cancelled();
  const isChanged = await carryOut(editor, action, splitBy === 'folders' ? 'splits' : 'classes');
  if (!look) return undefined;
  const edits = await editor.edits();
  const figures = await look(isChanged ? new AbortController().signal : signal).catch(async (error: unknown) => {
    throw isChanged ? await takenBack(editor, action, error) : error;
  });
  return { ...figures, ...nextInTurn(edits), milliseconds: Math.round(performance.now() - startedAt) };
}

function nextInTurn(edits: readonly ListedEdit[]): Omit<AfterEdit, 'milliseconds'> {
  const done = edits.filter(({ undone }) => !undone);
  const [undo, redo] = [done.at(-1)?.edit, edits.find(({ undone }) => undone)?.edit];
  return { ...(undo ? { undo } : {}), ...(redo ? { redo } : {}), edits: done.length };
}

/** Does what is asked for; whether anything has changed. */
async function carryOut(editor: DataEditor, action: CleaningAction, foldersAre: FoldersAre): Promise<boolean> {
  switch (action.kind) {
    case 'look':
      return false;
    case 'edit':
      await editor.edit(action.edit, foldersAre);
      return true;
    case 'undo':
    case 'redo':
      return (await editor[action.kind]()) !== undefined;
  }
}

/** Takes back what left a folder that cannot be looked at, such as one without a second class; the error that says so. */
async function takenBack(editor: DataEditor, action: CleaningAction, error: unknown): Promise<Error> {
  const isUndo = action.kind === 'undo';
  const then = await (isUndo ? editor.redo() : editor.undo()).then(
    () => (isUndo ? 'The edit was redone.' : 'The edit was undone.'),
    (problem: unknown) => `This could not be undone: ${messageOf(problem)}`,
  );
  const sentence = `${messageOf(error)} ${then}`;
  return error instanceof UserError ? userError(sentence, error) : new Error(sentence, { cause: error });
}

import { resolve } from 'node:path';
import type { Cleaning, CleaningAction } from '../../protocol/cleaning.ts';
import { cancelled, messageOf, UserError, userError } from '../../protocol/errors.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { type CleaningSession, openCleaningSession } from '../cleaning/cleaningSession.ts';
import { createDataEditor, type DataEditor } from '../cleaning/dataEditor.ts';
import { readJournal } from '../cleaning/journal.ts';
import { keptImages } from '../cleaning/keptImages.ts';
import type { FoldersAre } from '../cleaning/planEdit.ts';
import { createDecodePool, type DecodePool } from '../data/decodePool.ts';
import { chooseEngine } from '../engine/chooseEngine.ts';
import { openFeatureModel } from '../features/featureModel.ts';
import { loadedSource, titleOfSource } from './classifierPool.ts';
import { rareProgress } from './rareProgress.ts';

type CleanRequest = Extract<ServiceRequestBody, { type: 'clean' }>;

interface Opened {
  /** Of folder, layout and features. */
  readonly name: string;
  readonly session: CleaningSession;
}

/** Cleans data, one request after the other; what the last one had opened stays open for the next. */
export function createCleaner(): (request: CleanRequest, context: RequestContext) => Promise<void> {
  let pool: DecodePool | undefined;
  let opened: Opened | undefined;
  let before: Promise<unknown> = Promise.resolve();

  async function close(): Promise<void> {
    const old = opened;
    opened = undefined;
    await old?.session.dispose();
  }

  async function sessionFor(request: CleanRequest, context: RequestContext): Promise<CleaningSession> {
    const { data, layout, source } = request;
    const name = JSON.stringify([resolve(data), layout, source]);
    if (opened?.name === name) return opened.session;
    await close();
    const { signal, answer } = context;
    const log = (message: string) => answer({ type: 'log', level: 'info', message });
    answer({ type: 'progress', what: 'Loading the network', done: 0 });
    const placement = await chooseEngine({ engine: request.engine, device: request.device, log });
    const model = await openFeatureModel(loadedSource(source), placement, { signal, log });
    try {
      // The head is fitted on the CPU, which gives the same bits each time.
      const session = await openCleaningSession(data, model, {
        ...{ layout, signal, log, network: titleOfSource(source) },
        pool: (pool ??= createDecodePool()),
        placement: await chooseEngine({ engine: 'auto', device: 'cpu', log }),
        onProgress: rareProgress('Computing features', answer),
        onStage: (what) => answer({ type: 'progress', what, done: 0 }),
      });
      opened = { name, session };
      return session;
    } catch (error) {
      await model.dispose();
      throw error;
    }
  }

  /** The figures of a folder as it is now. */
  async function figuresOf(request: CleanRequest, context: RequestContext) {
    const { data } = request;
    const kept = keptImages((await readJournal(resolve(data))).done);
    for (let turn = 0; turn < 2; turn++) {
      const session = await sessionFor(request, context);
      const figures = await session.look(kept, context.signal);
      if (figures) return figures;
      // There are images that it has no features of.
      await close();
    }
    throw userError(`The images of ${data} changed while they were read; try again.`);
  }

  async function clean(request: CleanRequest, context: RequestContext): Promise<void> {
    const { data, action } = request;
    const editor = createDataEditor(data);
    // Most of what takes long is done before the disk changes, as an edit can be cancelled only until then.
    const { dataset } = await sessionFor(request, context);
    const startedAt = performance.now();
    if (context.signal.aborted) throw cancelled();
    const isChanged = await carryOut(editor, action, dataset.splitBy === 'folders' ? 'splits' : 'classes');
    const edits = await editor.edits();
    const lookContext = isChanged ? { ...context, signal: new AbortController().signal } : context;
    const figures = await figuresOf(request, lookContext).catch(async (error: unknown) => {
      throw isChanged ? await takenBack(editor, action, error) : error;
    });
    const done = edits.filter(({ undone }) => !undone);
    const [undo, redo] = [done.at(-1)?.edit, edits.find(({ undone }) => undone)?.edit];
    const cleaning: Cleaning = {
      ...figures,
      ...(undo ? { undo } : {}),
      ...(redo ? { redo } : {}),
      edits: done.length,
      milliseconds: Math.round(performance.now() - startedAt),
    };
    context.answer({ type: 'cleaning', cleaning });
  }

  return (request, context) => {
    const turn = before.then(() => clean(request, context));
    before = turn.catch(() => undefined);
    return turn;
  };
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

import { resolve } from 'node:path';
import type { Cleaning } from '../../protocol/cleaning.ts';
import { userError } from '../../protocol/errors.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { type CleaningSession, openCleaningSession } from '../cleaning/cleaningSession.ts';
import { createDataEditor } from '../cleaning/dataEditor.ts';
import { createDecodePool, type DecodePool } from '../data/decodePool.ts';
import { chooseEngine } from '../engine/chooseEngine.ts';
import { openFeatureModel } from '../features/featureModel.ts';
import { loadedSource } from './classifierPool.ts';
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
        ...{ layout, signal, log },
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

  async function clean(request: CleanRequest, context: RequestContext): Promise<void> {
    const { data, action } = request;
    const editor = createDataEditor(data);
    // What takes long is done before the disk changes, so that it can be cancelled until then.
    let session = await sessionFor(request, context);
    const startedAt = performance.now();
    if (action.kind === 'edit') {
      await editor.edit(action.edit, session.dataset.splitBy === 'folders' ? 'splits' : 'classes');
    } else if (action.kind !== 'look') await editor[action.kind]();
    const edits = await editor.edits();
    const done = edits.filter(({ undone }) => !undone);
    const kept = new Set(done.flatMap(({ edit }) => (edit.kind === 'keep' ? edit.images : [])));
    const { signal } = context;
    let figures = await session.look(kept, signal);
    if (!figures) {
      await close();
      session = await sessionFor(request, context);
      figures = await session.look(kept, signal);
    }
    if (!figures) throw userError(`The images of ${data} change while they are looked at; try again.`);
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

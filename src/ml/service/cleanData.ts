import { resolve } from 'node:path';
import { userError } from '../../protocol/errors.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { type CleaningSession, openCleaningSession } from '../cleaning/cleaningSession.ts';
import { readJournal } from '../cleaning/journal.ts';
import { keptImages } from '../cleaning/keptImages.ts';
import { createDecodePool, type DecodePool } from '../data/decodePool.ts';
import { chooseEngine } from '../engine/chooseEngine.ts';
import { titleOfSource } from './classifierPool.ts';
import { createKeptSession, editThenLook, featuresKey, oneAfterTheOther, withFeatures } from './editData.ts';
import { rareProgress } from './rareProgress.ts';

type CleanRequest = Extract<ServiceRequestBody, { type: 'clean' }>;
type MapRequest = Extract<ServiceRequestBody, { type: 'map' }>;

/** The editor's maps are those of the command line's default. */
const mapSeed = 0;

/** Cleans data and draws maps of it, one request after the other; what the last ones had opened stays open for the next. */
export function createCleaner(): (request: CleanRequest | MapRequest, context: RequestContext) => Promise<void> {
  let pool: DecodePool | undefined;
  const kept = createKeptSession<CleaningSession>();

  async function sessionFor(
    { data, layout, source, engine, device }: CleanRequest | MapRequest,
    context: RequestContext,
  ) {
    return kept.get([resolve(data), layout, await featuresKey(source)], () =>
      withFeatures({ source, engine, device }, context, async (model, log) =>
        // The head is fitted on the CPU, which gives the same bits each time.
        openCleaningSession(data, model, {
          ...{ layout, signal: context.signal, log, network: titleOfSource(source) },
          pool: (pool ??= createDecodePool()),
          placement: await chooseEngine({ engine: 'auto', device: 'cpu', log }),
          onProgress: rareProgress('Computing features', context.answer),
          onStage: (what) => context.answer({ type: 'progress', what, done: 0 }),
        }),
      ),
    );
  }

  /** What a session says of a folder as it is now. */
  async function toldOf<Told>(
    request: CleanRequest | MapRequest,
    context: RequestContext,
    ask: (session: CleaningSession) => Promise<Told | undefined>,
  ): Promise<Told> {
    for (let turn = 0; turn < 2; turn++) {
      const told = await ask(await sessionFor(request, context));
      if (told) return told;
      // There are images that it has no features of.
      await kept.close();
    }
    throw userError(`The images of ${request.data} changed while they were read; try again.`);
  }

  async function figuresOf(request: CleanRequest, context: RequestContext) {
    const wanted = {
      kept: keptImages((await readJournal(resolve(request.data))).done),
      chosen: new Set(request.chosen),
    };
    return toldOf(request, context, (session) => session.look(wanted, context.signal));
  }

  async function mapOf(request: MapRequest, context: RequestContext) {
    const { signal, answer } = context;
    const onProgress = rareProgress('Laying out the map', answer);
    const map = await toldOf(request, context, (session) => {
      onProgress(0);
      return session.map({ seed: mapSeed, signal, onProgress });
    });
    answer({ type: 'map', map });
  }

  return oneAfterTheOther(async (request, context) => {
    if (request.type === 'map') return mapOf(request, context);
    // Most of what takes long is done before the disk changes, as an edit can be cancelled only until then.
    const { dataset } = await sessionFor(request, context);
    const look = (signal: AbortSignal) => figuresOf(request, { ...context, signal });
    const cleaning = await editThenLook(request, dataset, context.signal, look);
    if (cleaning) context.answer({ type: 'cleaning', cleaning });
  });
}

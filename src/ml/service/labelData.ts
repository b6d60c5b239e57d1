import { resolve } from 'node:path';
import type { CleaningAction } from '../../protocol/cleaning.ts';
import { userError } from '../../protocol/errors.ts';
import { mostNext } from '../../protocol/labelling.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { readJournal } from '../cleaning/journal.ts';
import { type LabellingSession, openLabellingSession } from '../cleaning/labellingSession.ts';
import { createDecodePool, type DecodePool } from '../data/decodePool.ts';
import { chooseEngine } from '../engine/chooseEngine.ts';
import { titleOfSource } from './classifierPool.ts';
import { createKeptSession, editThenLook, featuresKey, oneAfterTheOther, withFeatures } from './editData.ts';
import { rareProgress } from './rareProgress.ts';

type LabelRequest = Extract<ServiceRequestBody, { type: 'label' }>;

/** Labels images, one request after the other; what the last ones had opened stays open for the next. */
export function createLabeller(): (request: LabelRequest, context: RequestContext) => Promise<void> {
  let pool: DecodePool | undefined;
  const kept = createKeptSession<LabellingSession>();

  async function sessionFor(request: LabelRequest, context: RequestContext) {
    const { data, unlabelled, layout, source } = request;
    return kept.get([resolve(data), resolve(unlabelled), layout, await featuresKey(source)], () =>
      withFeatures(request, context, async (model, log) =>
        openLabellingSession(data, unlabelled, model, {
          ...{ layout, signal: context.signal, log, network: titleOfSource(source) },
          pool: (pool ??= createDecodePool()),
          placement: await chooseEngine({ engine: 'auto', device: 'cpu', log }),
          onProgress: rareProgress('Computing features', context.answer),
          onStage: (what) => context.answer({ type: 'progress', what, done: 0 }),
        }),
      ),
    );
  }

  /** The figures of the folders as they are now. */
  async function figuresOf(request: LabelRequest, context: RequestContext) {
    const { data, unlabelled, first } = request;
    const { done } = await readJournal(resolve(data));
    for (let turn = 0; turn < 2; turn++) {
      const session = await sessionFor(request, context);
      const figures = await session.look({ done, first, most: mostNext }, context.signal);
      if (figures) return figures;
      // There are images that it has no features of.
      await kept.close();
    }
    throw userError(`The images of ${data} or ${unlabelled} changed while they were read; try again.`);
  }

  return oneAfterTheOther(async (request, context) => {
    const session = await sessionFor(request, context);
    requireNew(session, request.action);
    const look = (signal: AbortSignal) => figuresOf(request, { ...context, signal });
    const labelling = await editThenLook(request, session.dataset, context.signal, request.figures ? look : undefined);
    if (labelling) context.answer({ type: 'labelling', labelling });
  });
}

/** Throws a user error for an image that is in the data already. */
function requireNew(session: LabellingSession, action: CleaningAction): void {
  if (action.kind !== 'edit' || action.edit.kind !== 'label') return;
  for (const image of action.edit.images) {
    const there = session.inData(image);
    if (there !== undefined) throw userError(`${image} is in the data already, as ${there}.`);
  }
}

import { cancelled } from '../../protocol/errors.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { calibrateConfidence } from '../inference/calibrateConfidence.ts';
import type { ClassifierPool } from './classifierPool.ts';
import { rareProgress } from './rareProgress.ts';

type CalibrateRequest = Extract<ServiceRequestBody, { type: 'calibrate' }>;

/** Fits the confidence of a checkpoint and answers what it keeps. Throws as `loadClassifier` and `calibrateConfidence` do. */
export async function calibrateCheckpoint(
  { checkpoint, targetError, engine, device }: CalibrateRequest,
  classifiers: ClassifierPool,
  context: RequestContext,
): Promise<void> {
  const source = { kind: 'checkpoint' as const, path: checkpoint };
  await classifiers.use({ source, engine, device }, context, async (classifier) => {
    if (context.signal.aborted) throw cancelled();
    const say = (message: string) => context.answer({ type: 'log', level: 'warning', message });
    const fitting = {
      signal: context.signal,
      onNote: say,
      onProgress: rareProgress('Fitting the temperature', context.answer),
      onLeftOut: (image: string, reason: string) => say(`${image} is left out: ${reason}`),
    };
    const found = await calibrateConfidence(() => Promise.resolve(classifier), { checkpoint, targetError }, fitting);
    context.answer({ type: 'calibrated', calibration: found.calibration });
  });
}

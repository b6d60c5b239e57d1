import { cancelled } from '../../protocol/errors.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { testClassifier } from '../inference/testClassifier.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ClassifierPool } from './classifierPool.ts';
import { rareProgress } from './rareProgress.ts';

type EvaluateRequest = Extract<ServiceRequestBody, { type: 'evaluate' }>;

/**
 * Tests a checkpoint on one split of a data folder, keeps the result beside it and answers it. Throws as `loadClassifier`,
 * and `testClassifier` do.
 */
export async function evaluateCheckpoint(
  request: EvaluateRequest,
  classifiers: ClassifierPool,
  context: RequestContext,
): Promise<void> {
  const { checkpoint, data, split, engine, device } = request;
  const source = { kind: 'checkpoint' as const, path: checkpoint };
  await classifiers.use({ source, engine, device }, context, async (classifier) => {
    if (context.signal.aborted) throw cancelled();
    const say = (message: string) => context.answer({ type: 'log', level: 'warning', message });
    const test = { checkpoint, data, split, cropCount: request.crops, signal: context.signal };
    const { evaluation, kept, problem } = await testClassifier(classifier, test, {
      signal: context.signal,
      onNote: say,
      onProgress: rareProgress('Testing', context.answer),
      onLeftOut: (image, reason) => say(`${image} is left out: ${reason}`),
    });
    if (problem !== undefined) say(problem);
    context.answer({ type: 'evaluation', evaluation, ...(kept === undefined ? {} : { file: kept }) });
  });
}

import { cancelled } from '../../protocol/errors.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { assertAccuracy } from '../inference/assertAccuracy.ts';
import type { ClassifierPool } from './classifierPool.ts';
import { testOnce } from './testOnce.ts';

type AssertRequest = Extract<ServiceRequestBody, { type: 'assert' }>;

/** Tests what a test of accuracy is about, and answers which of its expectations are met. Throws as `assertAccuracy` does. */
export async function assertTest(
  { test, folder, engine, device }: AssertRequest,
  classifiers: ClassifierPool,
  context: RequestContext,
): Promise<void> {
  const say = (message: string) => context.answer({ type: 'log', level: 'warning', message });
  const { evaluation, expectations } = await assertAccuracy(test, {
    folder,
    say,
    evaluate: async (checkpoint, on) => {
      const tested = await testOnce({ checkpoint, ...on, engine, device }, classifiers, context);
      return tested.evaluation;
    },
  });
  if (context.signal.aborted) throw cancelled();
  const { checkpoint, data, cropCount, images } = evaluation;
  context.answer({ type: 'asserted', checkpoint, data, crops: cropCount, images, expectations: [...expectations] });
}

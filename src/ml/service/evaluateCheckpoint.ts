import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ClassifierPool } from './classifierPool.ts';
import { testOnce } from './testOnce.ts';

type EvaluateRequest = Extract<ServiceRequestBody, { type: 'evaluate' }>;

/**
 * Tests a checkpoint on one split of a data folder, keeps the result beside it and answers it. Throws as `testOnce` does.
 */
export async function evaluateCheckpoint(
  { crops, ...request }: EvaluateRequest,
  classifiers: ClassifierPool,
  context: RequestContext,
): Promise<void> {
  const { evaluation, kept } = await testOnce({ ...request, cropCount: crops }, classifiers, context);
  context.answer({ type: 'evaluation', evaluation, ...(kept === undefined ? {} : { file: kept }) });
}

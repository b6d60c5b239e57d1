import { cancelled } from '../../protocol/errors.ts';
import { evaluationPath, evaluationSchema } from '../../protocol/evaluation.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { evaluate } from '../inference/evaluate.ts';
import { imagesToTest } from '../inference/imagesToTest.ts';
import { writeEvaluation } from '../inference/writeEvaluation.ts';
import type { RequestContext } from './answerRequests.ts';
import type { ClassifierPool } from './classifierPool.ts';
import { rareProgress } from './rareProgress.ts';

type EvaluateRequest = Extract<ServiceRequestBody, { type: 'evaluate' }>;

/**
 * Tests a checkpoint on one split of a data folder, keeps the result beside it and answers it. Throws as `loadClassifier`,
 * `imagesToTest` and `evaluate` do.
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
    const { root, samples, selection } = await imagesToTest({
      checkpoint,
      data,
      split,
      classes: classifier.labels,
      signal: context.signal,
    });
    const say = (message: string) => context.answer({ type: 'log', level: 'warning', message });
    selection.notes.forEach(say);
    const figures = await evaluate(classifier, samples, {
      cropCount: request.crops,
      signal: context.signal,
      onProgress: rareProgress('Testing', context.answer),
      onLeftOut: (image, reason) => say(`${image} is left out: ${reason}`),
    });
    const about = { version: 1, checkpoint, data: root, split, selection, time: new Date().toISOString() };
    const evaluation = evaluationSchema.parse({ ...about, ...figures });
    const problem = await writeEvaluation(evaluation);
    if (problem !== undefined) say(problem);
    const kept = problem === undefined ? { file: evaluationPath(evaluation) } : {};
    context.answer({ type: 'evaluation', evaluation, ...kept });
  });
}

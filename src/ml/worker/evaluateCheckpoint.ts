import { splitNames } from '../../protocol/dataReport.ts';
import { cancelled, userError } from '../../protocol/errors.ts';
import { evaluationPath, evaluationSchema } from '../../protocol/evaluation.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { scanDataset } from '../data/scanDataset.ts';
import type { Classifier } from '../inference/classifier.ts';
import { evaluate } from '../inference/evaluate.ts';
import { writeEvaluation } from '../inference/writeEvaluation.ts';
import { splitSharesOf } from '../training/splitSharesOf.ts';
import type { RequestContext } from './answerRequests.ts';
import type { ClassifierPool } from './classifierPool.ts';
import { rareProgress } from './rareProgress.ts';

type EvaluateRequest = Extract<ServiceRequestBody, { type: 'evaluate' }>;

/**
 * Tests a checkpoint on one split of a data folder, keeps the result beside it and answers it. Throws a user error where
 * the split has no images, and as `loadClassifier`, `scanDataset` and `evaluate` do.
 */
export async function evaluateCheckpoint(
  request: EvaluateRequest,
  classifiers: ClassifierPool,
  context: RequestContext,
): Promise<void> {
  const { checkpoint, engine, device } = request;
  const source = { kind: 'checkpoint' as const, path: checkpoint };
  await classifiers.use({ source, engine, device }, context, async (classifier) => {
    if (context.signal.aborted) throw cancelled();
    const { root, samples } = await samplesFor(request, classifier, context);
    const figures = await evaluate(classifier, samples, {
      cropCount: request.crops,
      signal: context.signal,
      onProgress: rareProgress('Testing', context.answer),
      onLeftOut: (image, reason) =>
        context.answer({ type: 'log', level: 'warning', message: `${image} is left out: ${reason}` }),
    });
    const about = { version: 1, checkpoint, data: root, split: request.split, time: new Date().toISOString() };
    const evaluation = evaluationSchema.parse({ ...about, ...figures });
    await writeEvaluation(evaluation);
    context.answer({ type: 'evaluation', evaluation, file: evaluationPath(evaluation) });
  });
}

async function samplesFor(
  { checkpoint, data, split }: EvaluateRequest,
  { labels }: Classifier,
  { answer }: RequestContext,
) {
  const dataset = await scanDataset(data, { ...(await splitSharesOf(checkpoint)), classes: labels });
  for (const message of dataset.notes) answer({ type: 'log', level: 'info', message });
  const samples = dataset.splits[split];
  if (samples.length === 0) {
    const filled = splitNames.filter((name) => dataset.splits[name].length > 0).join(' or ');
    throw userError(`${dataset.root} has no images in ${split}; choose ${filled}.`);
  }
  return { root: dataset.root, samples };
}

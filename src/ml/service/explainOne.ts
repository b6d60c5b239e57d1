import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { chooseEngine } from '../engine/chooseEngine.ts';
import { explain } from '../inference/explainImage.ts';
import { explanationPicture } from '../inference/explanationPicture.ts';
import type { ClassifierPool } from './classifierPool.ts';
import { rareProgress } from './rareProgress.ts';

type ExplainRequest = Extract<ServiceRequestBody, { type: 'explain' }>;

/**
 * Says where in an image a class was seen, with the classifier that predicts in float32, whatever predictions are set to:
 * maps by gradients need them, and 8 bits have none. Throws as `explain` and `loadClassifier` do.
 */
export async function explainOne(
  { image, source, crops, classIndex, picture, engine, device }: ExplainRequest,
  classifiers: ClassifierPool,
  context: RequestContext,
): Promise<void> {
  const { signal, answer } = context;
  const log = (message: string) => answer({ type: 'log', level: 'info', message });
  await classifiers.use({ source, engine, device }, context, async (classifier) => {
    const placement = await chooseEngine({ engine, device, log });
    const found = await explain(image, classifier, placement, {
      ...{ cropCount: crops, signal, onProgress: rareProgress('Finding where the class was seen', answer) },
      ...(classIndex === undefined ? {} : { classIndex }),
    });
    const { label, method } = found;
    const seen = found.crops.map(({ crop, frame, probability, map }) => ({
      crop,
      frame,
      probability,
      map: map.map((row) => [...row]),
    }));
    answer({ type: 'explanation', explanation: { image, index: label.index, name: label.name, method, crops: seen } });
    if (picture === true) {
      answer({ type: 'picture', jpeg: (await explanationPicture(found, 'jpeg')).toString('base64') });
    }
  });
}

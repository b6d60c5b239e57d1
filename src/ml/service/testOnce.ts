import { cancelled } from '../../protocol/errors.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { WantedTest } from '../../runs/evaluations.ts';
import { testClassifier, type TestedClassifier } from '../inference/testClassifier.ts';
import type { ClassifierPool, ClassifierWish } from './classifierPool.ts';
import { rareProgress } from './rareProgress.ts';

/** A test that the service makes. */
export interface ServiceTest extends WantedTest, Pick<ClassifierWish, 'engine' | 'device'> {
  readonly checkpoint: string;
}

/**
 * Tests a checkpoint on a split of a data folder and keeps the result beside it; answers progress and what there is to say.
 * Throws as `loadClassifier` and `testClassifier` do.
 */
export function testOnce(
  { checkpoint, data, split, cropCount, engine, device }: ServiceTest,
  classifiers: ClassifierPool,
  context: RequestContext,
  what = 'Testing',
): Promise<TestedClassifier> {
  const { signal, answer } = context;
  const source = { kind: 'checkpoint' as const, path: checkpoint };
  return classifiers.use({ source, engine, device }, context, async (classifier) => {
    if (signal.aborted) throw cancelled();
    const say = (message: string) => answer({ type: 'log', level: 'warning', message });
    const test = { checkpoint, data, split, cropCount, signal };
    const tested = await testClassifier(classifier, test, {
      signal,
      onNote: say,
      onProgress: rareProgress(what, answer),
      onLeftOut: (image, reason) => say(`${image} is left out: ${reason}`),
    });
    if (tested.problem !== undefined) say(tested.problem);
    return tested;
  });
}

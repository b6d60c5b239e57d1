import type { Classifier } from '../inference/classifier.ts';
import type { EvaluateOptions } from '../inference/evaluate.ts';
import { testClassifier, type ClassifierTest, type TestedClassifier } from '../inference/testClassifier.ts';
import { withInterrupt } from './interrupt.ts';
import type { Output } from './output.ts';
import { createProgress, imagesNote } from './progress.ts';

/** Tests a classifier with a bar of progress, and stops at Ctrl-C. Throws as `testClassifier` does. */
export async function testVisibly(
  classifier: Classifier,
  test: ClassifierTest,
  output: Output,
  listening: Pick<EvaluateOptions, 'onScored'> = {},
): Promise<TestedClassifier> {
  const progress = createProgress(true);
  const startedAt = Date.now();
  const stopping = () => progress.line('Stopping after the current images; Ctrl-C again quits at once.');
  try {
    return await withInterrupt(stopping, (signal) =>
      testClassifier(
        classifier,
        { ...test, signal },
        {
          ...listening,
          signal,
          onNote: output.say,
          onProgress: (done, total) => progress.update(done, total, imagesNote(done, total, startedAt)),
          onLeftOut: (image, reason) => output.say(`${image} is left out: ${reason}`),
        },
      ),
    );
  } finally {
    progress.stop();
  }
}

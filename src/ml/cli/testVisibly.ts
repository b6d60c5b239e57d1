import type { Classifier } from '../inference/classifier.ts';
import type { EvaluateOptions } from '../inference/evaluate.ts';
import { testClassifier, type ClassifierTest, type TestedClassifier } from '../inference/testClassifier.ts';
import { imagesVisibly } from './imagesVisibly.ts';
import type { Output } from './output.ts';

/** Tests a classifier with a bar of progress, and stops at Ctrl-C. Throws as `testClassifier` does. */
export function testVisibly(
  classifier: Classifier,
  test: ClassifierTest,
  output: Output,
  listening: Pick<EvaluateOptions, 'onScored'> = {},
): Promise<TestedClassifier> {
  return imagesVisibly(output, (visibly) =>
    testClassifier(classifier, { ...test, signal: visibly.signal }, { ...listening, ...visibly }),
  );
}

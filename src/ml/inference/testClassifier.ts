import { evaluationPath, evaluationSchema, type Evaluation } from '../../protocol/evaluation.ts';
import { cropCountFor } from '../data/fiveCrops.ts';
import type { Classifier } from './classifier.ts';
import { evaluate, type EvaluateOptions } from './evaluate.ts';
import { imagesToTest, type TestRequest } from './imagesToTest.ts';
import { writeEvaluation } from './writeEvaluation.ts';

/** A test of a checkpoint; the classifier's classes are those that its images are looked up by. */
export interface ClassifierTest extends Omit<TestRequest, 'classes'> {
  readonly cropCount: 1 | 5;
}

/** Said where five crops are asked for of a network that has no use for them. */
const wholeImagesNote = 'The network sees whole images, so each is tested once and not by five crops.';

export interface TestedClassifier {
  readonly evaluation: Evaluation;
  /** The file that keeps it; undefined if the disk refused, and then why. */
  readonly kept: string | undefined;
  readonly problem: string | undefined;
}

/**
 * Tests the classifier of a checkpoint, or of a file of others, on the images of a folder that it was not trained on, and keeps the result beside the
 * file. Throws as `imagesToTest` and `evaluate` do.
 */
export async function testClassifier(
  classifier: Classifier,
  { cropCount, ...request }: ClassifierTest,
  options: Omit<EvaluateOptions, 'cropCount'> & { readonly onNote: (note: string) => void },
): Promise<TestedClassifier> {
  const { onNote, ...evaluating } = options;
  const { root, samples, selection } = await imagesToTest({ ...request, classes: classifier.labels });
  selection.notes.forEach(onNote);
  if (cropCountFor(classifier.preprocessing.fit, cropCount) !== cropCount) onNote(wholeImagesNote);
  const figures = await evaluate(classifier, samples, { ...evaluating, cropCount });
  const { checkpoint, split } = request;
  const about = { version: 1, checkpoint, data: root, split, selection, time: new Date().toISOString() };
  const evaluation = evaluationSchema.parse({ ...about, ...figures });
  const problem = await writeEvaluation(evaluation);
  return { evaluation, kept: problem === undefined ? evaluationPath(evaluation) : undefined, problem };
}

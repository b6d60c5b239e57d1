import type { AccuracyTest, CheckedExpectation } from './accuracyTests.ts';
import { compareEvaluations } from './compareEvaluations.ts';
import { userError } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { evaluationMetrics } from './evaluationMetrics.ts';
import type { Slice } from './slices.ts';

/** What a test expects, and what is needed to tell whether it is so. */
export interface Expectations {
  readonly test: AccuracyTest;
  readonly evaluation: Evaluation;
  /** The slices of `test.slices`, in their order. */
  readonly slices: readonly (readonly Slice[])[];
  /** That of `test.baseline`, on the same images. */
  readonly baseline: Evaluation | undefined;
}

/**
 * Whether each expectation is met. Throws a user error for a class and for a slice without images, and where images differ.
 */
export function checkExpectations({ test, evaluation, slices, baseline }: Expectations): CheckedExpectation[] {
  const { macro, perClass } = evaluationMetrics(evaluation);
  const { accuracy, top5, macroF1, recall = {} } = test;
  const recallOf = (wanted: string) => {
    const named = perClass.find(({ folder, name }) => folder === wanted || name === wanted);
    if (named && named.images > 0) return named.recall;
    throw userError(`No tested image is of the class ${wanted}: correct recall in the test ${test.name}.`);
  };
  const slicesBy = (by: string, at: number) => {
    const found = slices[at] ?? [];
    // Without an image that has the pattern, the slice of the others would be all that is looked at.
    if (found.some(({ name }) => !by.startsWith('path:') || by === `path:${name}`)) return found;
    throw userError(`No tested image is in a slice by ${by}: correct slices in the test ${test.name}.`);
  };
  return [
    ...(accuracy === undefined ? [] : [atLeast('accuracy', evaluation.accuracy, accuracy)]),
    ...(top5 === undefined ? [] : [atLeast('top-5 accuracy', evaluation.top5, top5)]),
    ...(macroF1 === undefined ? [] : [atLeast('mean F1', macro.f1, macroF1)]),
    ...Object.entries(recall).map(([name, least]) => atLeast(`recall of ${name}`, recallOf(name), least)),
    ...(test.slices ?? []).flatMap(({ by, accuracy: least }, at) =>
      slicesBy(by, at).map((slice) => atLeast(`accuracy of ${by}, ${slice.name}`, slice.accuracy, least)),
    ),
    ...(test.baseline && baseline ? [notWorse(evaluation, baseline, test.baseline)] : []),
  ];
}

function atLeast(what: string, value: number, least: number): CheckedExpectation {
  return { expected: `${what} at least ${least}`, found: value.toFixed(4), isMet: value >= least };
}

function notWorse(
  evaluation: Evaluation,
  baseline: Evaluation,
  { checkpoint, p }: NonNullable<AccuracyTest['baseline']>,
): CheckedExpectation {
  const { pairs, notCommon } = compareEvaluations([
    { name: 'checkpoint', evaluation },
    { name: 'baseline', evaluation: baseline },
  ]);
  if (notCommon > 0) throw userError(`${checkpoint} was tested on other images, so it cannot be the baseline.`);
  const [pair] = pairs;
  if (!pair) throw new Error('two tests have no comparison');
  const { onlyFirst, onlySecond } = pair;
  return {
    expected: `not worse than ${checkpoint} (p at least ${p})`,
    found: `${onlyFirst} images right that the baseline has wrong, ${onlySecond} the other way round, p ${pair.p.toPrecision(3)}`,
    isMet: onlyFirst >= onlySecond || pair.p >= p,
  };
}

import type { AccuracyTest, CheckedExpectation } from './accuracyTests.ts';
import { compareEvaluations } from './compareEvaluations.ts';
import { userError } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { evaluationMetrics } from './evaluationMetrics.ts';
import { scoredImages } from './keptProbabilities.ts';
import { resultsByPath } from './sameImages.ts';
import { pathWithin, type Slice } from './slices.ts';

/** What a test expects, and what is needed to tell whether it is so. */
export interface Expectations {
  readonly test: AccuracyTest;
  readonly evaluation: Evaluation;
  /** The slices of `test.slices`, in their order. */
  readonly slices: readonly (readonly Slice[])[];
  /** That of `test.baseline`, on the same images. */
  readonly baseline: Evaluation | undefined;
}

type Result = Evaluation['results'][number];

/**
 * Whether each expectation is met. Throws a user error for a class and for a slice without images, and where images differ.
 */
export function checkExpectations({ test, evaluation, slices, baseline }: Expectations): CheckedExpectation[] {
  const { macro, perClass } = evaluationMetrics(evaluation);
  const { accuracy, top5, macroF1, recall = {} } = test;
  const { results } = evaluation;
  const classOf = (wanted: string) => {
    const named = perClass.find(({ folder, name }) => folder === wanted || name === wanted);
    if (named && named.images > 0) return named;
    throw userError(`No tested image is of the class ${wanted}: correct recall in the test ${test.name}.`);
  };
  const ofClass = (name: string, least: number) => {
    const { index, recall: value } = classOf(name);
    const own = results.filter(({ actual }) => actual === index);
    return atLeast({ at: ['recall', name], what: `recall of ${name}`, value, least, wrong: wrongOf(own) });
  };
  const slicesBy = (by: string, at: number) => {
    const found = slices[at] ?? [];
    // Without an image that has the pattern, the slice of the others would be all that is looked at.
    if (found.some(({ name }) => !by.startsWith('path:') || by === `path:${name}`)) return found;
    throw userError(`No tested image is in a slice by ${by}: correct slices in the test ${test.name}.`);
  };
  const figure = (at: string, what: string, value: number, least: number | undefined, wrong = wrongOf(results)) =>
    least === undefined ? [] : [atLeast({ at: [at], what, value, least, wrong })];
  return [
    ...figure('accuracy', 'accuracy', evaluation.accuracy, accuracy),
    ...figure('top5', 'top-5 accuracy', evaluation.top5, top5, notInTop5(evaluation)),
    ...figure('macroF1', 'mean F1', macro.f1, macroF1),
    ...Object.entries(recall).map(([name, least]) => ofClass(name, least)),
    ...(test.slices ?? []).flatMap(({ by, accuracy: least }, at) =>
      slicesBy(by, at).map(({ name, accuracy: value, results: own }) =>
        atLeast({ at: ['slices', at], what: `accuracy of ${by}, ${name}`, value, least, wrong: wrongOf(own) }),
      ),
    ),
    ...(test.baseline && baseline ? [notWorse(evaluation, baseline, test.baseline)] : []),
  ];
}

interface Figure extends Pick<CheckedExpectation, 'at'> {
  readonly what: string;
  readonly value: number;
  readonly least: number;
  readonly wrong: readonly Result[];
}

function atLeast({ at, what, value, least, wrong }: Figure): CheckedExpectation {
  const isMet = value >= least;
  return { at, expected: `${what} at least ${least}`, found: value.toFixed(4), isMet, images: isMet ? [] : pathsOf(wrong) }; // prettier-ignore
}

function wrongOf(results: readonly Result[]): Result[] {
  return results.filter(({ actual, predicted }) => actual !== predicted);
}

/** Images whose class is not among the five likeliest; those predicted wrong if the test keeps no probabilities. */
function notInTop5(evaluation: Evaluation): Result[] {
  const { results, probabilities: kept } = evaluation;
  const scored = kept && scoredImages(evaluation, kept);
  if (!scored) return wrongOf(results);
  return results.filter(({ actual }, at) => {
    const probabilities = [...(scored[at]?.probabilities ?? [])];
    const own = probabilities[kept.classes.indexOf(actual)] ?? 0;
    return probabilities.filter((each) => each > own).length >= 5;
  });
}

/** The surest first. */
function pathsOf(results: readonly Result[]): string[] {
  return results.toSorted((a, b) => b.probability - a.probability).map(({ image }) => image);
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
  const isMet = onlyFirst >= onlySecond || pair.p >= p;
  const before = resultsByPath(baseline);
  const lost = wrongOf(evaluation.results).filter(({ image }) => {
    const then = before.get(pathWithin(evaluation.data, image));
    return then !== undefined && then.actual === then.predicted;
  });
  return {
    at: ['baseline'],
    expected: `not worse than ${checkpoint} (p at least ${p})`,
    found: `${onlyFirst} images right that the baseline has wrong, ${onlySecond} the other way round, p ${pair.p.toPrecision(3)}`,
    isMet,
    images: isMet ? [] : pathsOf(lost),
  };
}

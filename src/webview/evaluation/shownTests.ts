import type { Evaluation } from '../../protocol/evaluation.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import { byCrops, isOutdated, testedData, testedKey, type TestedData } from './chooseEvaluation.ts';
import { shownEvaluation, type ShownEvaluation } from './shownEvaluation.ts';

/** What of a checkpoint's tests the page shows. */
export type ShownTests = {
  /** All that was tested on, the newest first, and which of it is shown. */
  tested: readonly TestedData[];
  chosen: TestedData | undefined;
  /** The tests on it with one crop and with five. */
  pair: { 1?: ShownEvaluation; 5?: ShownEvaluation };
  /** The one whose details are shown. */
  evaluation: ShownEvaluation | undefined;
  /** The test of the validation images of the same data in the same way, where there is one and it is not shown itself. */
  validation: Evaluation | undefined;
};

/**
 * `chosen` is what the reader chose: data and split by their `testedKey`, and the crops of the details. `written` is when the
 * checkpoint was.
 */
export function shownTests(
  evaluations: readonly Evaluation[],
  chosen: { tested?: string | undefined; crops: CropCount },
  written: string | undefined,
): ShownTests {
  const current = evaluations.filter((each) => !isOutdated(each, written));
  const tested = testedData(evaluations);
  const data = tested.find((each) => testedKey(each) === chosen.tested) ?? tested[0];
  const found = data === undefined ? {} : byCrops(evaluations, data);
  const pair = { ...(found[1] && { 1: shownEvaluation(found[1]) }), ...(found[5] && { 5: shownEvaluation(found[5]) }) };
  const evaluation = pair[chosen.crops] ?? pair[5] ?? pair[1];
  return { tested, chosen: data, pair, evaluation, validation: validationOf(evaluation, current) };
}

/** One at another temperature is of another confidence. */
function validationOf(shown: ShownEvaluation | undefined, evaluations: readonly Evaluation[]): Evaluation | undefined {
  if (!shown || shown.split === 'valid') return undefined;
  return evaluations.find(
    ({ split, data, cropCount, temperature }) =>
      split === 'valid' &&
      data === shown.data &&
      cropCount === shown.cropCount &&
      temperature?.value === shown.temperature?.value,
  );
}

import type { Evaluation } from '../../protocol/evaluation.ts';
import { evaluationMetrics, type EvaluationMetrics } from '../../protocol/evaluationMetrics.ts';

/** A test result with what follows from it; `perClass` has the classes that were only predicted, too. */
export type ShownEvaluation = Omit<Evaluation, 'perClass'> & EvaluationMetrics;

const known = new WeakMap<Evaluation, ShownEvaluation>();

/** The same object for the same evaluation. */
export function shownEvaluation(evaluation: Evaluation): ShownEvaluation {
  const shown = known.get(evaluation) ?? { ...evaluation, ...evaluationMetrics(evaluation) };
  known.set(evaluation, shown);
  return shown;
}

import { csv, type CsvValue } from '../protocol/csv.ts';
import type { RunCurves, StepColumn, ValidationColumn } from './runCurves.ts';

type CsvColumn = { title: string; step?: StepColumn; validation?: ValidationColumn };

const columns: readonly CsvColumn[] = [
  { title: 'step', step: 'step', validation: 'step' },
  { title: 'epoch', step: 'epoch', validation: 'epoch' },
  { title: 'secondsTrained', step: 'seconds', validation: 'seconds' },
  { title: 'trainingLoss', step: 'loss' },
  { title: 'stepsOfRow', step: 'meanSteps' },
  { title: 'meanTrainingLossOfRow', step: 'meanLoss' },
  { title: 'meanTrainingLossSinceLastValidation', validation: 'trainLoss' },
  { title: 'validationLoss', validation: 'validLoss' },
  { title: 'validationTop1Accuracy', validation: 'validAccuracy' },
  { title: 'validationTop5Accuracy', validation: 'validTop5' },
  { title: 'learningRate', step: 'learningRate' },
  { title: 'imagesPerSecond', step: 'imagesPerSecond' },
  { title: 'gradientNorm', step: 'gradientNorm' },
];

/**
 * The points of the runs that the page has: a row per step and a row per validation. A row of a long run may stand for
 * several steps, the others of which are left out: `stepsOfRow` says how many, `meanTrainingLossOfRow` is of all of them.
 */
export function curvesCsv(
  runs: readonly { name: string; data: string; curves: RunCurves }[],
  topFive: boolean,
): string {
  const wanted = columns.filter(({ validation }) => topFive || validation !== 'validTop5');
  return csv([
    ['run', 'data', 'event', ...wanted.map(({ title }) => title)],
    ...runs.flatMap(({ name, data, curves: { steps, validations } }) => [
      ...rows([name, data, 'step'], steps.length, (row) =>
        wanted.map(({ step }) => (step === undefined ? undefined : known(steps.values(step)[row]))),
      ),
      ...rows([name, data, 'validation'], validations.length, (row) =>
        wanted.map(({ validation }) => (validation === undefined ? undefined : validations.values(validation)[row])),
      ),
    ]),
  ]);
}

/** A number that the run said; an empty field for one that it did not. */
function known(value: number | undefined): CsvValue {
  return Number.isNaN(value) ? undefined : value;
}

function rows(first: readonly CsvValue[], count: number, values: (row: number) => CsvValue[]): CsvValue[][] {
  return Array.from({ length: count }, (_, row) => [...first, ...values(row)]);
}

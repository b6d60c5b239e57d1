import { csv, type CsvValue } from '../components/csv.ts';
import type { RunCurves } from './runCurves.ts';

/**
 * The points of the runs that the page has, exactly as recorded: a row a step and a row a validation. `meanSteps` is how many
 * steps a row stands for; above 1 some were left out, and `meanLoss` is the mean of them and of the row's own.
 */
export function curvesCsv(runs: readonly { name: string; curves: RunCurves }[]): string {
  const heading = [
    'run',
    'event',
    'step',
    'epoch',
    'loss',
    'learningRate',
    'meanSteps',
    'meanLoss',
    'trainLoss',
    'validLoss',
    'validAccuracy',
    'validTop5',
  ];
  return csv([
    heading,
    ...runs.flatMap(({ name, curves }) => [...stepRows(name, curves), ...validationRows(name, curves)]),
  ]);
}

function stepRows(name: string, { steps }: RunCurves): CsvValue[][] {
  const columns = (['step', 'epoch', 'loss', 'learningRate', 'meanSteps', 'meanLoss'] as const).map((column) =>
    steps.values(column),
  );
  return Array.from({ length: steps.length }, (_, row) => [name, 'step', ...columns.map((values) => values[row])]);
}

function validationRows(name: string, { validations }: RunCurves): CsvValue[][] {
  const before = (['step', 'epoch'] as const).map((column) => validations.values(column));
  const after = (['trainLoss', 'validLoss', 'validAccuracy', 'validTop5'] as const).map((column) =>
    validations.values(column),
  );
  return Array.from({ length: validations.length }, (_, row) => [
    name,
    'validation',
    ...before.map((values) => values[row]),
    undefined,
    undefined,
    undefined,
    undefined,
    ...after.map((values) => values[row]),
  ]);
}

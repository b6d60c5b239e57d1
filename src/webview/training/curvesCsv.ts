import { csv, type CsvValue } from '../components/csv.ts';
import type { RunCurves } from './runCurves.ts';

/** Every point of the runs, exactly as recorded: a row a step and a row a validation. */
export function curvesCsv(runs: readonly { name: string; curves: RunCurves }[]): string {
  const heading = [
    'run',
    'event',
    'step',
    'epoch',
    'loss',
    'learningRate',
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
  const columns = (['step', 'epoch', 'loss', 'learningRate'] as const).map((column) => steps.values(column));
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
    ...after.map((values) => values[row]),
  ]);
}

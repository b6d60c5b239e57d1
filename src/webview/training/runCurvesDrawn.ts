import type { Curve } from './curve.ts';
import type { Points } from './downsample.ts';
import type { PageRun } from './shownRun.ts';
import { smooth } from './smoothing.ts';

/** Training loss as recorded and smoothed, and validation loss, of every run. `weight` 0 draws no smoothed curve. */
export function lossCurves(runs: readonly PageRun[], weight: number, colors: readonly string[]): Curve[] {
  return runs.flatMap((run) => {
    const base = { color: colors[run.style.color] ?? 'currentColor', dash: run.style.dash };
    const recorded = {
      ...base,
      label: `${run.record.name}: training loss`,
      width: 1,
      alpha: weight === 0 ? 1 : 0.35,
      points: () => stepPoints(run),
    };
    const smoothed = {
      ...base,
      label: `${run.record.name}: training loss, smoothed`,
      width: 1.5,
      alpha: 1,
      points: () => smoothedPoints(run, weight),
    };
    const validation = {
      ...base,
      label: `${run.record.name}: validation loss`,
      width: 2,
      alpha: 1,
      marker: run.style.marker,
      points: () => validationPoints(run, 'validLoss'),
    };
    return weight === 0 ? [recorded, validation] : [recorded, smoothed, validation];
  });
}

/** Validation accuracy, and thinner the share of images whose class is among the five most probable. */
export function accuracyCurves(runs: readonly PageRun[], colors: readonly string[]): Curve[] {
  return runs.flatMap((run) => {
    const base = { color: colors[run.style.color] ?? 'currentColor', dash: run.style.dash };
    return [
      {
        ...base,
        label: `${run.record.name}: top-5 accuracy`,
        width: 1,
        alpha: 0.6,
        points: () => validationPoints(run, 'validTop5'),
      },
      {
        ...base,
        label: `${run.record.name}: accuracy`,
        width: 2,
        alpha: 1,
        marker: run.style.marker,
        points: () => validationPoints(run, 'validAccuracy'),
      },
    ];
  });
}

/** The training loss after smoothing; kept with the run, so that a new step costs one addition. */
export function smoothedPoints(run: PageRun, weight: number): Points {
  const { steps } = run.curves;
  const before = run.smoothed?.generation === steps.generation ? run.smoothed.result : undefined;
  const result = smooth(steps.values('meanLoss'), weight, before, steps.values('meanSteps'));
  run.smoothed = { result, generation: steps.generation };
  return { x: steps.values('step'), y: result.values.subarray(0, result.length) };
}

function stepPoints({ curves }: PageRun): Points {
  return { x: curves.steps.values('step'), y: curves.steps.values('loss') };
}

function validationPoints({ curves }: PageRun, column: 'validLoss' | 'validAccuracy' | 'validTop5'): Points {
  return { x: curves.validations.values('step'), y: curves.validations.values(column) };
}

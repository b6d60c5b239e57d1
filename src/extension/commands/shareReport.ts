import type * as vscode from 'vscode';
import { duration } from '../views/formatRun.ts';

/** Seconds of work before the time that is left is told: before, its speed is a guess. */
const settled = 2;

/**
 * Tells `progress` how far something is, in percent and with about the time that is left, from counts that grow. What was
 * done before the first count says nothing of the speed. `now` is a clock in seconds.
 */
export function shareReport(
  progress: vscode.Progress<{ message?: string; increment?: number }>,
  now: () => number = () => performance.now() / 1000,
): (done: number, total?: number) => void {
  let first: { readonly done: number; readonly at: number } | undefined;
  let told = 0;
  return (done, total) => {
    first ??= { done, at: now() };
    if (total === undefined || total <= 0) return;
    const percent = Math.min(100, (100 * done) / total);
    const seconds = now() - first.at;
    const speed = (done - first.done) / seconds;
    const isKnown = seconds >= settled && speed > 0 && done < total;
    const left = isKnown ? [`about ${duration((total - done) / speed)} left`] : [];
    progress.report({ message: [`${Math.floor(percent)} %`, ...left].join(' · '), increment: percent - told });
    told = percent;
  };
}

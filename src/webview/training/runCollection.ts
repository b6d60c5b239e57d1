import type { TrainingEvent } from '../../protocol/trainingEvents.ts';
import type { RunRequest, ShownRun } from '../../protocol/trainingPanel.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { addEvent, emptyCurves, type RunCurves } from '../../charts/runCurves.ts';
import { runStyle } from '../../charts/runStyle.ts';
import type { PageRun } from './shownRun.ts';

export type OtherRun = { folder: string; name: string };

export type RunCollection = {
  /** The shown runs, the first in focus. */
  readonly shown: readonly PageRun[];
  /** Runs that could be shown too. */
  readonly others: readonly OtherRun[];
  /** Whether the host has said which runs are shown. */
  readonly listed: boolean;
  /** Takes the host's list. Curves of runs that stay are kept, and so is the style that a run got when it came. */
  show: (shown: readonly ShownRun[], others: readonly OtherRun[]) => void;
  /** Notes what the user has just asked a run for, until the host says what it knows of it. */
  ask: (folder: string, request: RunRequest) => void;
  /** Adds events `from`... of a run; those already here are passed over. False where some are missing between. */
  add: (folder: string, from: number, events: readonly TrainingEvent[]) => boolean;
};

/** As many as `curveColors` gives. */
const colorCount = 6;

/** The runs of the page. */
export function runCollection(): RunCollection {
  const curvesOf = new Map<string, RunCurves>();
  let shown: PageRun[] = [];
  let others: readonly OtherRun[] = [];
  let listed = false;

  const curves = (folder: string): RunCurves => {
    const known = curvesOf.get(folder) ?? emptyCurves();
    curvesOf.set(folder, known);
    return known;
  };
  const freePosition = (taken: ReadonlySet<number>): number => {
    let position = 0;
    while (taken.has(position)) position++;
    return position;
  };
  const positions = new Map<string, number>();

  return {
    get shown() {
      return shown;
    },
    get others() {
      return others;
    },
    get listed() {
      return listed;
    },
    show: (next, nextOthers) => {
      listed = true;
      const folders = new Set(next.map(({ folder }) => folder));
      for (const folder of curvesOf.keys()) if (!folders.has(folder)) curvesOf.delete(folder);
      for (const folder of positions.keys()) if (!folders.has(folder)) positions.delete(folder);
      const before = new Map(shown.map((run) => [run.folder, run]));
      shown = next.map((run) => {
        const position = positions.get(run.folder) ?? freePosition(new Set(positions.values()));
        positions.set(run.folder, position);
        const known = curves(run.folder);
        const smoothed = before.get(run.folder)?.smoothed;
        return {
          ...run,
          title: runTitle(run.record.name),
          curves: known,
          style: runStyle(position, colorCount),
          smoothed,
        };
      });
      others = nextOthers;
    },
    ask: (folder, asked) => {
      shown = shown.map((run) => (run.folder === folder ? { ...run, asked } : run));
    },
    add: (folder, from, events) => {
      if (from === 0) {
        curvesOf.set(folder, emptyCurves());
        shown = shown.map((run) =>
          run.folder === folder ? { ...run, curves: curves(folder), smoothed: undefined } : run,
        );
      }
      const target = curves(folder);
      if (from > target.events) return false;
      for (const event of events.slice(target.events - from)) addEvent(target, event);
      return true;
    },
  };
}

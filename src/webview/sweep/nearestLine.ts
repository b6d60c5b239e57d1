import type { ShownTrial } from '../../protocol/sweepPanel.ts';

/** A drawn line: its trial, and where it crosses the axes. */
export type Line = { trial: ShownTrial; points: readonly (readonly [x: number, y: number])[] };

/** Pixels from a line within which it is meant. */
const lineReach = 8;

/** The line nearest to a point, if it is near enough. */
export function nearest(lines: readonly Line[], x: number, y: number): Line | undefined {
  let found: Line | undefined;
  let least = lineReach;
  for (const line of lines) {
    for (let index = 0; index + 1 < line.points.length; index++) {
      const [[x1, y1], [x2, y2]] = [line.points[index] ?? [0, 0], line.points[index + 1] ?? [0, 0]];
      if (x < x1 || x > x2) continue;
      const distance = Math.abs(y1 + ((x - x1) / (x2 - x1)) * (y2 - y1) - y);
      if (distance >= least) continue;
      least = distance;
      found = line;
    }
  }
  return found;
}

import type { Part } from './pageState.ts';

/** The whole of an axis. */
export const wholeAxis: Part = { low: 0, high: 1 };

/** The part between two places where a pointer was pressed and released. */
export function draggedPart(from: number, to: number): Part {
  return { low: clamped(Math.min(from, to)), high: clamped(Math.max(from, to)) };
}

/** Share of an axis by which a key moves an end of a part where any value can be. */
const keyStep = 0.05;

/**
 * The part after a key: the arrows move its upper end, with Shift its lower one, Home and End take the whole axis;
 * undefined for any other key.
 */
export function movedPart(part: Part, key: string, shift: boolean, step: number | undefined): Part | undefined {
  if (key === 'Home' || key === 'End') return wholeAxis;
  const sign = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[key];
  if (sign === undefined) return undefined;
  const by = sign * (step ?? keyStep);
  return shift
    ? { low: rounded(Math.max(0, Math.min(part.high, part.low + by))), high: part.high }
    : { low: part.low, high: rounded(Math.min(1, Math.max(part.low, part.high + by))) };
}

export function isWhole({ low, high }: Part): boolean {
  return low <= 0 && high >= 1;
}

function clamped(at: number): number {
  return Math.max(0, Math.min(1, at));
}

/** Steps add up to the ends of an axis. */
function rounded(at: number): number {
  return Number(at.toFixed(6));
}

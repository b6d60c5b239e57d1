import type { Place } from './viewport.ts';

/** Points of a map: `[points, 2]`, and which of them can be pointed at. */
export type Points = { places: Float32Array; isActive: (point: number) => boolean };

/** The point that is nearest to a place and no further away than `within`; of equally near ones the last, which is drawn on top. */
export function nearestPoint({ places, isActive }: Points, [x, y]: Place, within: number): number | undefined {
  let [best, least] = [-1, within * within];
  for (let point = 0; point < places.length / 2; point++) {
    const dx = (places[2 * point] ?? 0) - x;
    const dy = (places[2 * point + 1] ?? 0) - y;
    const distance = dx * dx + dy * dy;
    if (distance <= least && isActive(point)) [best, least] = [point, distance];
  }
  return best < 0 ? undefined : best;
}

/**
 * The point to which an arrow key leads from a place: the nearest within 45° of the direction, at least `least` away in it.
 * `direction` is a unit step along an axis.
 */
export function pointTowards(
  { places, isActive }: Points,
  [x, y]: Place,
  [right, down]: Place,
  least: number,
): number | undefined {
  let [best, nearest] = [-1, Infinity];
  for (let point = 0; point < places.length / 2; point++) {
    const dx = (places[2 * point] ?? 0) - x;
    const dy = (places[2 * point + 1] ?? 0) - y;
    const along = dx * right + dy * down;
    const across = Math.abs(dx * down - dy * right);
    if (along < least || across > along || along + across >= nearest || !isActive(point)) continue;
    [best, nearest] = [point, along + across];
  }
  return best < 0 ? undefined : best;
}

/** The points inside a polygon, whose corners are places of the map; it closes itself. By the even-odd rule. */
export function pointsInside({ places, isActive }: Points, polygon: readonly Place[]): number[] {
  const xs = polygon.map(([x]) => x);
  const ys = polygon.map(([, y]) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const found: number[] = [];
  for (let point = 0; point < places.length / 2; point++) {
    const x = places[2 * point] ?? 0;
    const y = places[2 * point + 1] ?? 0;
    if (x < left || x > right || y < top || y > bottom || !isActive(point)) continue;
    if (isInside(x, y, polygon)) found.push(point);
  }
  return found;
}

/** By how often a ray to the right crosses the polygon's edge. */
function isInside(x: number, y: number, polygon: readonly Place[]): boolean {
  let inside = false;
  let [fromX, fromY] = polygon.at(-1) ?? [0, 0];
  for (const [toX, toY] of polygon) {
    if (fromY > y !== toY > y && x < ((fromX - toX) * (y - toY)) / (fromY - toY) + toX) inside = !inside;
    [fromX, fromY] = [toX, toY];
  }
  return inside;
}

export type SelectionMode = 'replace' | 'add' | 'remove';

/** A selection after some points were picked. */
export function selectionAfter(
  selected: ReadonlySet<number>,
  picked: readonly number[],
  mode: SelectionMode,
): ReadonlySet<number> {
  if (mode === 'replace') return new Set(picked);
  const next = new Set(selected);
  for (const point of picked) {
    if (mode === 'add') next.add(point);
    else next.delete(point);
  }
  return next;
}

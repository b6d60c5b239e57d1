/** Which part of the map is seen: the place in the middle, and how often the whole map is enlarged. */
export type Viewport = { x: number; y: number; scale: number };
export type Size = { width: number; height: number };
/** x and y, of the map from 0 to 1, or of the screen in pixels. */
export type Place = readonly [number, number];

export const wholeMap: Viewport = { x: 0.5, y: 0.5, scale: 1 };

/** By which a button or a key enlarges the map. */
export const zoomStep = 1.6;
/** Pixels around the whole map. */
const margin = 14;
const mostScale = 200;

/** Pixels of the map's side. */
export function sideOf({ scale }: Viewport, { width, height }: Size): number {
  return Math.max(1, Math.min(width, height) - 2 * margin) * scale;
}

export function toScreen(view: Viewport, size: Size, [x, y]: Place): Place {
  const side = sideOf(view, size);
  return [size.width / 2 + (x - view.x) * side, size.height / 2 + (y - view.y) * side];
}

export function toMap(view: Viewport, size: Size, [x, y]: Place): Place {
  const side = sideOf(view, size);
  return [view.x + (x - size.width / 2) / side, view.y + (y - size.height / 2) / side];
}

/** Enlarged by a factor; what lies under `at`, a place on the screen, stays there. */
export function zoomedAt(view: Viewport, size: Size, factor: number, at: Place): Viewport {
  const scale = Math.min(mostScale, Math.max(1, view.scale * factor));
  if (scale === 1) return wholeMap;
  const [x, y] = toMap(view, size, at);
  const [movedX, movedY] = toMap({ ...view, scale }, size, at);
  return inside({ x: view.x + x - movedX, y: view.y + y - movedY, scale });
}

/** Moved by pixels; the map's edge goes no further than the middle. */
export function movedBy(view: Viewport, size: Size, [dx, dy]: Place): Viewport {
  const side = sideOf(view, size);
  return inside({ ...view, x: view.x - dx / side, y: view.y - dy / side });
}

/** The view, moved if need be so that a place of the map is seen. */
export function showing(view: Viewport, size: Size, place: Place): Viewport {
  const [x, y] = toScreen(view, size, place);
  const isSeen = x >= margin && y >= margin && x <= size.width - margin && y <= size.height - margin;
  return isSeen ? view : { ...view, x: place[0], y: place[1] };
}

function inside({ x, y, scale }: Viewport): Viewport {
  return { x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y)), scale };
}

/** How a run's curves differ from another's: colour, dashes and the shape of the marks, so that colour is not all. */
export type RunStyle = { color: number; dash: readonly number[]; marker: Marker };
export const markers = ['circle', 'square', 'triangle', 'diamond'] as const;
export type Marker = (typeof markers)[number];

const dashes: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2]];

/** The style of the n-th run: dashes, shapes and colours repeat after different counts. */
export function runStyle(position: number, colors: number): RunStyle {
  return {
    color: position % colors,
    dash: dashes[position % dashes.length] ?? [],
    marker: markers[position % markers.length] ?? 'circle',
  };
}

/** Corners of a mark of a radius around 0, as `[x, y]`; none for a circle. */
export function markerCorners(marker: Marker, radius: number): (readonly [number, number])[] {
  const side = radius * 0.9;
  switch (marker) {
    case 'circle':
      return [];
    case 'square':
      return [
        [-side, -side],
        [side, -side],
        [side, side],
        [-side, side],
      ];
    case 'triangle':
      return [
        [0, -radius * 1.15],
        [radius * 1.1, radius * 0.85],
        [-radius * 1.1, radius * 0.85],
      ];
    case 'diamond':
      return [
        [0, -radius * 1.25],
        [radius * 1.25, 0],
        [0, radius * 1.25],
        [-radius * 1.25, 0],
      ];
  }
}

import { markers, type Marker } from './runStyle.ts';

/** How a point of a map is drawn: the number of a colour, or gray without one, and a shape, so that colour is not all. */
export type PointLook = { color: number | undefined; marker: Marker };

/** Looks that can be told apart by colour and shape. */
export function mostLooks(colors: number): number {
  return colors * markers.length;
}

/** The n-th look: neighbours in a list differ in colour and shape; looks repeat after all pairs of both. */
export function nthLook(position: number, colors: number): PointLook & { color: number } {
  const color = position % colors;
  const turn = Math.floor(position / colors);
  return { color, marker: markers[(color + turn) % markers.length] ?? 'circle' };
}

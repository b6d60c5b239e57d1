import { markerCorners, type Marker } from '../../charts/runStyle.ts';

/** Adds a mark around a place, in the canvas's pixels. */
export function addMarker(path: Path2D, marker: Marker, [x, y]: readonly [number, number], radius: number): void {
  const corners = markerCorners(marker, radius);
  if (corners.length === 0) {
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  corners.forEach(([dx, dy], corner) => {
    if (corner === 0) path.moveTo(x + dx, y + dy);
    else path.lineTo(x + dx, y + dy);
  });
  path.closePath();
}

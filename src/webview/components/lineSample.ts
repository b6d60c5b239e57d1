import { svg } from './element.ts';
import type { LineStyle } from '../../charts/curve.ts';
import { markerCorners } from '../../charts/runStyle.ts';

const width = 36;
const height = 14;

/** A piece of a line as a chart draws it, for legends. */
export function lineSample({ color, dash, alpha, marker, width: thickness }: LineStyle): SVGSVGElement {
  const middle = { x: width / 2, y: height / 2 };
  const line = svg('line', {
    x1: 0,
    y1: middle.y,
    x2: width,
    y2: middle.y,
    stroke: color,
    'stroke-width': thickness,
    'stroke-dasharray': dash.join(' ') || undefined,
  });
  return svg(
    'svg',
    { width, height, viewBox: `0 0 ${width} ${height}`, opacity: alpha, class: 'sample', 'aria-hidden': 'true' },
    marker === undefined ? [line] : [line, mark(markerCorners(marker, 4), color, middle)],
  );
}

function mark(corners: ReturnType<typeof markerCorners>, color: string, at: { x: number; y: number }): SVGElement {
  if (corners.length === 0) return svg('circle', { cx: at.x, cy: at.y, r: 4, fill: color });
  return svg('polygon', { points: corners.map(([x, y]) => `${at.x + x},${at.y + y}`).join(' '), fill: color });
}

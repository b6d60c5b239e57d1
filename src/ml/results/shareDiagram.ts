import { percent } from '../../charts/format.ts';
import { line, text } from '../../charts/svgText.ts';

/** Where a share from 0 to 1 lies, in pixels. */
export type Place = (share: number) => number;

interface Axes {
  /** What the diagram is called. */
  readonly name: string;
  readonly x: string;
  readonly y: string;
}

const plot = { left: 44, right: 28, top: 26, bottom: 40, width: 420, height: 256 };

/** A picture in SVG whose axes are both shares from 0 to 1, in the colours of a page; `draw` gives what stands in it. */
export function shareDiagram(
  { name, x: xTitle, y: yTitle }: Axes,
  draw: (x: Place, y: Place) => readonly string[],
): string {
  const { left, right, top, bottom, width, height } = plot;
  const x: Place = (share) => left + share * (width - left - right);
  const y: Place = (share) => height - bottom - share * (height - top - bottom);
  const muted = 'var(--muted)';
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img" aria-label="${name}">`,
    ...ticks.flatMap((tick) => [
      line([left, y(tick)], [width - right, y(tick)], { color: 'var(--grid)', width: 0.5 }),
      text(left - 6, y(tick) + 4, percent(tick, 0), muted, { anchor: 'end' }),
      text(x(tick), height - bottom + 16, percent(tick, 0), muted, { anchor: 'middle' }),
    ]),
    ...draw(x, y),
    text(left, 12, yTitle, muted),
    text((left + width - right) / 2, height - 6, xTitle, muted, { anchor: 'middle' }),
    '</svg>',
  ].join('');
}

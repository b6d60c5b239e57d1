import * as l10n from '@vscode/l10n';
import type { CurvePoint } from '../../protocol/labelling.ts';
import { element, svg } from '../components/element.ts';
import { count, percent } from '../../charts/format.ts';

/** Pixels of the picture and of what surrounds its lines. */
const [width, height] = [300, 120];
const space = { left: 44, right: 10, top: 8, bottom: 20 };

export type AccuracyCurve = { element: HTMLElement; draw: (points: readonly CurvePoint[]) => void };

/** A small chart of the accuracy by number of labels. */
export function accuracyCurve(): AccuracyCurve {
  const place = element('figure', { class: 'curve' });
  let drawn: readonly CurvePoint[] | undefined;
  return {
    element: place,
    draw: (points) => {
      if (points === drawn) return;
      drawn = points;
      place.hidden = points.length < 2;
      const title = element('figcaption', {}, [l10n.t('Accuracy by number of labels')]);
      place.replaceChildren(...(points.length < 2 ? [] : [title, picture(points)]));
    },
  };
}

function picture(points: readonly CurvePoint[]): SVGElement {
  const [first, last] = [points[0], points.at(-1)];
  const [fewest, most] = [first?.labels ?? 0, last?.labels ?? 0];
  const shares = points.map(({ accuracy }) => accuracy);
  // Whole tenths around what was reached.
  const low = Math.max(0, Math.floor(Math.min(...shares) * 10 - 1e-9) / 10);
  const high = Math.min(1, Math.ceil(Math.max(...shares) * 10 + 1e-9) / 10);
  const x = (labels: number) => space.left + ((labels - fewest) / Math.max(1, most - fewest)) * (width - space.left - space.right); // prettier-ignore
  const y = (share: number) => space.top + ((high - share) / Math.max(0.1, high - low)) * (height - space.top - space.bottom); // prettier-ignore
  const line = points.map(({ labels, accuracy }) => `${x(labels).toFixed(1)},${y(accuracy).toFixed(1)}`).join(' ');
  const text = (content: string, at: { x: number; y: number; anchor: string }) =>
    svg('text', { x: at.x, y: at.y, 'text-anchor': at.anchor }, [content]);
  const levels = high - low > 0.15 ? [low, (low + high) / 2, high] : [low, high];
  return svg(
    'svg',
    {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-label': l10n.t(
        'Accuracy by labels: from {0} at {1} to {2} at {3}',
        percent(shares[0] ?? 0),
        count(fewest),
        percent(shares.at(-1) ?? 0),
        count(most),
      ),
    },
    [
      ...levels.map((share) => svg('line', { x1: space.left, x2: width - space.right, y1: y(share), y2: y(share), class: 'level' })), // prettier-ignore
      ...levels.map((share) => text(percent(share, 0), { x: space.left - 6, y: y(share) + 4, anchor: 'end' })),
      svg('polyline', { points: line, class: 'line' }),
      svg('circle', { cx: x(most), cy: y(shares.at(-1) ?? 0), r: 3, class: 'now' }),
      text(count(fewest), { x: space.left, y: height - 4, anchor: 'start' }),
      text(l10n.t('{0} labels', count(most)), { x: width - space.right, y: height - 4, anchor: 'end' }),
    ],
  );
}

import * as l10n from '@vscode/l10n';
import uPlot from 'uplot';
import type { Range } from '../../charts/downsample.ts';

const zoomFactor = 0.6;
const keyboardStep = 0.02;

/** How to use a chart, for its name. */
export const chartHelp = l10n.t(
  'Drag or press plus and minus to zoom, double click or Escape to show all, arrow keys to read values.',
);

/** A part of the axis that is larger or smaller than another by a factor, around a place of it. */
export function zoomed({ min, max }: Range, factor: number, centre = (min + max) / 2): Range {
  return { min: centre - (centre - min) * factor, max: centre + (max - centre) * factor };
}

export const zoomIn = zoomFactor;
export const zoomOut = 1 / zoomFactor;

/** What a key does in a chart: moves the cursor or zooms; undefined where it does nothing. */
export function keyAction(
  key: string,
  plot: uPlot,
  range: Range,
  onZoom: (range: Range | undefined) => void,
): (() => void) | undefined {
  const width = plot.bbox.width / uPlot.pxRatio;
  const at = plot.cursor.left === undefined || plot.cursor.left < 0 ? width / 2 : plot.cursor.left;
  const move = (left: number) =>
    plot.setCursor({ left: Math.max(0, Math.min(width - 1, left)), top: plot.bbox.height / uPlot.pxRatio / 2 });
  const zoom = (factor: number) => onZoom(zoomed(range, factor, plot.posToVal(at, 'x')));
  const actions: Record<string, () => void> = {
    ArrowLeft: () => move(at - width * keyboardStep),
    ArrowRight: () => move(at + width * keyboardStep),
    Home: () => move(0),
    End: () => move(width),
    '+': () => zoom(zoomIn),
    '=': () => zoom(zoomIn),
    '-': () => zoom(zoomOut),
    Escape: () => onZoom(undefined),
  };
  return actions[key];
}

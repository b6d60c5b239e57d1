import { element, svg } from '../components/element.ts';
import { count, percent, short } from '../components/format.ts';
import { bestValidation } from './runCurves.ts';
import { countUpTo, nearest } from './columns.ts';
import { markerCorners, type RunStyle } from './runStyle.ts';
import { smoothedPoints } from './runCurvesDrawn.ts';
import type { PageRun } from './shownRun.ts';

export type LegendOptions = {
  runs: readonly PageRun[];
  colors: readonly string[];
  hidden: ReadonlySet<string>;
  onToggle: (folder: string) => void;
  onFocus: (folder: string) => void;
  onRemove: (folder: string) => void;
};

/** The runs as they are now, in the rows' order; `step` whose values are read, the last ones when undefined; `weight` of the smoothing. */
export type ReadingPlace = { runs: readonly PageRun[]; step: number | undefined; weight: number };

export type LegendTable = {
  element: HTMLTableElement;
  /** Writes the values; nothing else changes, so that buttons keep the focus and half a click. */
  read: (place: ReadingPlace) => void;
};

const headings = ['Step', 'Loss', 'Smoothed', 'Valid. loss', 'Accuracy', 'Top-5', 'Best'];

/** The charts' legend and read-out: a row a run, with its values at a step. */
export function legendTable(options: LegendOptions): LegendTable {
  const caption = element('caption');
  const rows = options.runs.map((run, index) => legendRow(run, index, options));
  const table = element('table', { class: 'table legend' }, [
    caption,
    element('thead', {}, [
      element('tr', {}, [
        element('th', { scope: 'col' }, ['Run']),
        ...headings.map((heading) => element('th', { scope: 'col', class: 'numeric' }, [heading])),
        element('th', { scope: 'col' }, [element('span', { class: 'spoken' }, ['Remove'])]),
      ]),
    ]),
    element(
      'tbody',
      {},
      rows.map(({ row }) => row),
    ),
  ]);
  const read = (place: ReadingPlace): void => {
    write(caption, place.step === undefined ? 'Latest values' : `Values at step ${count(place.step)}`);
    place.runs.forEach((run, row) => {
      readings(run, place).forEach((reading, column) => {
        const cell = rows[row]?.cells[column];
        if (cell !== undefined) write(cell, reading);
      });
    });
  };
  return { element: table, read };
}

function write(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

type LegendRow = { row: HTMLElement; cells: HTMLElement[] };

function legendRow(run: PageRun, index: number, options: LegendOptions): LegendRow {
  const { folder, record, style } = run;
  const shown = !options.hidden.has(folder);
  const toggle = element(
    'button',
    {
      type: 'button',
      class: 'swatch',
      'aria-pressed': shown,
      'aria-label': `Draw ${record.name}`,
      title: shown ? 'Hide these curves' : 'Show these curves',
      onclick: () => options.onToggle(folder),
    },
    [swatch(style, options.colors[style.color] ?? 'currentColor')],
  );
  const name = element(
    'button',
    {
      type: 'button',
      class: 'link',
      title: `${folder}: show its numbers and controls`,
      onclick: () => options.onFocus(folder),
    },
    [record.name],
  );
  const cells = headings.map(() => element('td', { class: 'numeric' }));
  const row = element('tr', { class: shown ? '' : 'hidden-run', 'aria-current': index === 0 ? 'true' : undefined }, [
    element('th', { scope: 'row' }, [element('span', { class: 'run-name' }, [toggle, name])]),
    ...cells,
    element('td', {}, [index === 0 && options.runs.length === 1 ? undefined : removeButton(run, options)]),
  ]);
  return { row, cells };
}

function removeButton({ folder, record }: PageRun, { onRemove }: LegendOptions): HTMLElement {
  return element(
    'button',
    {
      type: 'button',
      class: 'icon',
      'aria-label': `Take ${record.name} out of the comparison`,
      title: 'Take out of the comparison',
      onclick: () => onRemove(folder),
    },
    ['×'],
  );
}

function readings(run: PageRun, { step, weight }: Omit<ReadingPlace, 'runs'>): string[] {
  const { steps, validations } = run.curves;
  const at = step === undefined ? steps.length - 1 : nearest(steps.values('step'), step);
  const validation = step === undefined ? validations.length - 1 : countUpTo(validations.values('step'), step) - 1;
  const ofStep = (values: Float64Array) => (at === undefined ? undefined : values[at]);
  const ofValidation = (column: 'validLoss' | 'validAccuracy' | 'validTop5') => validations.values(column)[validation];
  const best = bestValidation(run.curves);
  return [
    shown(ofStep(steps.values('step')), count),
    shown(ofStep(steps.values('loss')), short),
    weight === 0 ? '–' : shown(ofStep(smoothedPoints(run, weight).y), short),
    shown(ofValidation('validLoss'), short),
    shown(ofValidation('validAccuracy'), percent),
    shown(ofValidation('validTop5'), percent),
    best === undefined ? '–' : percent(validations.values('validAccuracy')[best] ?? NaN),
  ];
}

function shown(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '–' : format(value);
}

/** A run's line and mark. */
export function swatch({ dash, marker }: RunStyle, color: string): SVGSVGElement {
  const corners = markerCorners(marker, 4);
  const points = corners.map(([x, y]) => `${16 + x},${7 + y}`).join(' ');
  return svg('svg', { width: 32, height: 14, viewBox: '0 0 32 14', 'aria-hidden': 'true' }, [
    svg('line', {
      x1: 0,
      y1: 7,
      x2: 32,
      y2: 7,
      stroke: color,
      'stroke-width': 2,
      'stroke-dasharray': dash.join(' ') || undefined,
    }),
    corners.length === 0
      ? svg('circle', { cx: 16, cy: 7, r: 4, fill: color })
      : svg('polygon', { points, fill: color }),
  ]);
}

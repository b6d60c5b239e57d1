import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { count, duration, percent, short } from '../../charts/format.ts';
import { countUpTo } from '../../charts/columns.ts';
import { lineSample } from '../components/lineSample.ts';
import { hasTopFive, smoothedPoints, type ChartChoices } from '../../charts/runCharts.ts';
import { bestValidation, type RunCurves, type ValidationColumn } from '../../charts/runCurves.ts';
import type { RunStyle } from '../../charts/runStyle.ts';
import type { PageRun } from './shownRun.ts';
import { axisTexts, type XAxis } from '../../charts/xAxis.ts';
import { setText } from '../components/setText.ts';

export type ValuesTableOptions = {
  runs: readonly PageRun[];
  /** Colours of curves. */
  colors: readonly string[];
  /** Folders of the runs whose curves are not drawn. */
  hidden: ReadonlySet<string>;
  choices: ChartChoices;
  onToggle: (folder: string) => void;
  onFocus: (folder: string) => void;
  onRemove: (folder: string) => void;
};

export type ValuesTable = {
  element: HTMLElement;
  /**
   * Writes the values at a place of the x axis, the last ones without it; `runs` are those of the rows as they are now.
   * Nothing else changes, so that buttons keep the focus and half a click.
   */
  read: (runs: readonly PageRun[], place: number | undefined) => void;
};

/** A column of values: `undefined` is a value that a run does not have. */
type Column = { title: string; read: (at: CurvePoint) => string | undefined };
type CurvePoint = { run: PageRun; curves: RunCurves; step: number; validation: number };

/** The runs, each with its values at a place: a row per run, which is a card where the page is narrow. */
export function valuesTable(options: ValuesTableOptions): ValuesTable {
  const { runs, choices } = options;
  const caption = element('caption');
  const columns = columnsFor(runs, choices);
  const rows = runs.map((run, index) => runRow(run, index, columns, options));
  const table = element('table', { class: 'table values cards' }, [
    caption,
    element('thead', {}, [
      element('tr', {}, [
        element('th', { scope: 'col' }, [l10n.t('Run')]),
        ...columns.map(({ title }) => element('th', { scope: 'col', class: 'numeric' }, [title])),
      ]),
    ]),
    element(
      'tbody',
      {},
      rows.map(({ row }) => row),
    ),
  ]);
  return {
    element: table,
    read: (now, place) => {
      write(caption, captionOf(choices.axis, place));
      now.forEach((run, row) => {
        const at = pointOf(run, choices, place);
        columns.forEach(({ read }, column) => {
          const cell = rows[row]?.cells[column];
          if (cell !== undefined) write(cell, read(at) ?? '–');
        });
      });
    },
  };
}

function captionOf(axis: XAxis, place: number | undefined): string {
  if (place === undefined) return l10n.t('Latest values');
  switch (axis) {
    case 'step':
      return l10n.t('Values at step {0}', count(place));
    case 'epoch':
      return l10n.t('Values at epoch {0}', place.toFixed(2));
    case 'time':
      return l10n.t('Values after {0}', duration(place));
  }
}

function write(target: HTMLElement, text: string): void {
  setText(target, text);
}

function columnsFor(runs: readonly PageRun[], { smoothing, axis }: ChartChoices): Column[] {
  const ofValidation = (title: string, column: ValidationColumn, format: (value: number) => string): Column => ({
    title,
    read: ({ curves, validation }) => shown(curves.validations.values(column)[validation], format),
  });
  const smoothed: Column = {
    title: l10n.t('Smoothed'),
    read: ({ run, step }) => shown(smoothedPoints(run, smoothing, axis).y[step], short),
  };
  return [
    { title: l10n.t('Step'), read: ({ curves, step }) => shown(curves.steps.values('step')[step], count) },
    { title: l10n.t('Training loss'), read: ({ curves, step }) => shown(curves.steps.values('loss')[step], short) },
    ...(smoothing === 0 ? [] : [smoothed]),
    ofValidation(l10n.t('Validation loss'), 'validLoss', short),
    ofValidation(l10n.t('Top-1'), 'validAccuracy', percent),
    ...(runs.some(hasTopFive) ? [ofValidation(l10n.t('Top-5'), 'validTop5', percent)] : []),
    { title: l10n.t('Best top-1'), read: ({ curves }) => bestAccuracy(curves) },
  ];
}

function bestAccuracy(curves: RunCurves): string | undefined {
  const best = bestValidation(curves);
  return best === undefined ? undefined : shown(curves.validations.values('validAccuracy')[best], percent);
}

function shown(value: number | undefined, format: (value: number) => string): string | undefined {
  return value === undefined || !Number.isFinite(value) ? undefined : format(value);
}

/** The last step and the last validation up to a place of the axis. */
function pointOf(run: PageRun, { axis }: ChartChoices, place = Infinity): CurvePoint {
  const { curves } = run;
  const { column } = axisTexts[axis];
  const step = countUpTo(curves.steps.values(column), place) - 1;
  const validation = countUpTo(curves.validations.values(column), place) - 1;
  return { run, curves, step, validation };
}

type RunRow = { row: HTMLElement; cells: HTMLElement[] };

function runRow(run: PageRun, index: number, columns: readonly Column[], options: ValuesTableOptions): RunRow {
  const { folder, title } = run;
  const drawn = !options.hidden.has(folder);
  const alone = options.runs.length === 1;
  const name = element(
    'button',
    {
      type: 'button',
      class: 'link',
      title: l10n.t('{0}: show its numbers and controls', folder),
      onclick: () => options.onFocus(folder),
    },
    [title],
  );
  const heading = alone ? [title] : [toggle(run, drawn, options), name, removeButton(run, options)];
  const cells = columns.map(({ title }) => element('td', { class: 'numeric', 'data-title': title }));
  const row = element(
    'tr',
    { class: drawn ? '' : 'hidden-run', 'aria-current': index === 0 && !alone ? 'true' : undefined },
    [element('th', { scope: 'row' }, [element('span', { class: 'run-name' }, heading)]), ...cells],
  );
  return { row, cells };
}

function toggle({ folder, title, style }: PageRun, drawn: boolean, options: ValuesTableOptions): HTMLElement {
  return element(
    'button',
    {
      type: 'button',
      class: 'swatch',
      'aria-pressed': drawn,
      'aria-label': l10n.t('Draw {0}', title),
      title: drawn ? l10n.t('Hide these curves') : l10n.t('Show these curves'),
      onclick: () => options.onToggle(folder),
    },
    [runSample(style, options.colors)],
  );
}

function removeButton({ folder, title }: PageRun, { onRemove }: ValuesTableOptions): HTMLElement {
  return element(
    'button',
    {
      type: 'button',
      class: 'icon',
      'aria-label': l10n.t('Remove {0} from the comparison', title),
      title: l10n.t('Remove from the comparison'),
      onclick: () => onRemove(folder),
    },
    ['×'],
  );
}

/** A run's line and mark. */
export function runSample({ dash, marker, color }: RunStyle, colors: readonly string[]): SVGSVGElement {
  return lineSample({ color: colors[color] ?? 'currentColor', dash, marker, alpha: 1, width: 2 });
}

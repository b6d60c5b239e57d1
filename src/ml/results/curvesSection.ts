import { count } from '../../charts/format.ts';
import { epochMarks, furtherCharts, mainCharts, type RunChart, wholeRange } from '../../charts/runCharts.ts';
import type { DrawnRun } from '../../charts/drawnRun.ts';
import { runStyle } from '../../charts/runStyle.ts';
import { svgCharts } from '../../charts/svgCharts.ts';
import { html, type Markup, safe } from './markup.ts';
import { section } from './pageDocument.ts';
import type { RunResults } from './readResults.ts';
import { table } from './tables.ts';

/** The page’s own colours, which follow the reader’s choice of light and dark. */
const colors = {
  foreground: 'var(--foreground)',
  muted: 'var(--muted)',
  background: 'var(--background)',
  grid: 'var(--grid)',
  curves: ['var(--training)', 'var(--validation)'],
};
const choices = { axis: 'step', smoothing: 0.6, logScale: false } as const;
const sizes = { wide: { width: 960, chartHeight: 340 }, narrow: { width: 370, chartHeight: 260 } } as const;

/** The curves of a run by step, and the numbers of its validations. */
export function curvesSection(run: RunResults, heading: { title: string; data: string }): Markup {
  const { curves, record } = run;
  if (curves.steps.length === 0) return section('Curves', html`<p class="hint">The run has taken no step.</p>`);
  const drawn: DrawnRun = { title: heading.title, record, curves, style: runStyle(0, 2), smoothed: undefined };
  const pictures = (id: string, charts: readonly RunChart[]) =>
    (['wide', 'narrow'] as const).map(
      (size) =>
        html`<div class="${size}">${safe(picture(`${id}-${size}-`, drawn, charts, heading, sizes[size]))}</div>`,
    );
  return section(
    'Curves',
    html`<div class="chart">${pictures('main', mainCharts([drawn], choices, colors))}</div>`,
    html`<details>
      <summary>Learning rate, speed and gradient norm</summary>
      <div class="chart">${pictures('further', furtherCharts([drawn], choices, colors))}</div>
    </details>`,
    validations(run),
  );
}

function picture(
  id: string,
  run: DrawnRun,
  charts: readonly RunChart[],
  { title, data }: { title: string; data: string },
  size: { width: number; chartHeight: number },
): string {
  const range = wholeRange([run], choices.axis);
  const marks = epochMarks(run, choices.axis, range);
  return svgCharts({ heading: title, data, charts, axis: choices.axis, range, marks, ...size, id, colors }).svg;
}

/** Rows of the table of validations; the run’s file has them all. */
const mostRows = 400;

function validations({ curves: { validations: known } }: RunResults): Markup {
  const columns = ['step', 'epoch', 'trainLoss', 'validLoss', 'validAccuracy', 'validTop5'] as const;
  const values = columns.map((name) => known.values(name));
  const digits = [0, 2, 4, 4, 4, 4];
  const from = Math.max(0, known.length - mostRows);
  const rows = Array.from({ length: known.length - from }, (_, row) =>
    values.map((column, at) => {
      const value = column[from + row] ?? NaN;
      return at === 0 ? count(value) : value.toFixed(digits[at]);
    }),
  );
  if (rows.length === 0) return html`<p class="hint">There was no validation yet.</p>`;
  const titles = ['Step', 'Epoch', 'Training loss', 'Validation loss', 'Top-1 accuracy', 'Top-5 accuracy'];
  const left = from === 0 ? '' : `, without the first ${from}`;
  return html`<details>
    <summary>Every validation${left}</summary>
    ${table(
      'Every validation',
      titles.map((title) => ({ title, numbers: true })),
      rows,
    )}
  </details>`;
}

import { type Content, html, type Markup } from './markup.ts';

/** How a column of numbers or texts stands. */
export type Column = { readonly title: string; readonly numbers?: boolean };

/** A table that scrolls within itself where the page is narrower. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly Content[])[]): Markup {
  const classOf = (index: number) => (columns[index]?.numbers ? 'number' : 'text');
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <thead>
        <tr>
          ${columns.map(({ title }, index) => html`<th scope="col" class="${classOf(index)}">${title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell, index) => html`<td class="${classOf(index)}">${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Names and values; those without a value are left out. */
export function facts(rows: readonly (readonly [string, Content])[]): Markup {
  const known = rows.filter(([, value]) => value !== undefined && value !== '');
  return html`<dl>
    ${known.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** Rows that a list shows at most, and what is said of the others. */
export function firstOf<Row>(
  rows: readonly Row[],
  most: number,
  what: string,
): { shown: readonly Row[]; more: Markup } {
  const left = rows.length - most;
  return { shown: rows.slice(0, most), more: left > 0 ? html`<p class="hint">And ${left} more ${what}.</p>` : html`` };
}

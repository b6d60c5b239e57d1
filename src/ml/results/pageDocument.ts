import { html, type Markup, safe } from './markup.ts';

/** A section of a page, with its heading. */
export function section(title: string, ...parts: readonly (Markup | undefined)[]): Markup {
  return html`<section>
    <h2>${title}</h2>
    ${parts}
  </section>`;
}

/** A whole HTML document that needs no script and no network, in the reader’s light or dark colours, and prints. */
export function pageDocument(title: string, parts: readonly Markup[]): string {
  const { markup } = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta
        http-equiv="Content-Security-Policy"
        content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
      />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${title}</title>
      <style>
        ${safe(styles)}
      </style>
    </head>
    <body>
      <main>${parts}</main>
    </body>
  </html>`;
  return `<!doctype html>\n${markup}\n`;
}

const light = `
  --background: #ffffff; --foreground: #1f2328; --muted: #59636e; --grid: #d1d9e0; --raised: #f6f8fa;
  --training: #0969da; --validation: #bc4c00; --right: 26 127 55; --wrong: 207 34 46;`;
const dark = `
  --background: #0d1117; --foreground: #e6edf3; --muted: #9198a1; --grid: #3d444d; --raised: #151b23;
  --training: #4493f8; --validation: #f0883e; --right: 46 160 67; --wrong: 248 81 73;`;

const styles = `
:root { color-scheme: light dark; ${light} }
@media (prefers-color-scheme: dark) { :root { ${dark} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--background); color: var(--foreground); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 12px; padding-bottom: 4px; border-bottom: 1px solid var(--grid); }
h3 { font-size: 16px; margin: 24px 0 8px; }
p { margin: 8px 0; overflow-wrap: anywhere; }
.hint { color: var(--muted); font-size: 14px; }
.headline { display: flex; flex-wrap: wrap; gap: 12px; margin: 20px 0 0; padding: 0; list-style: none; }
.headline li { flex: 1 1 160px; padding: 10px 14px; background: var(--raised); border: 1px solid var(--grid); border-radius: 6px; }
.headline strong { display: block; font-size: 22px; font-weight: 600; }
dl { margin: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: 0 24px; }
dl div { display: flex; gap: 12px; justify-content: space-between; padding: 4px 0; border-bottom: 1px solid var(--grid); }
dt { color: var(--muted); }
dd { margin: 0; text-align: right; overflow-wrap: break-word; max-width: 65%; }
.scroll { overflow-x: auto; max-width: 100%; }
.scroll + .scroll { margin-top: 16px; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 12px 4px 0; text-align: left; border-bottom: 1px solid var(--grid); vertical-align: top; }
th { color: var(--muted); font-weight: 600; }
td.text:first-child { min-width: 120px; }
.number { text-align: right; }
.matrix th, .matrix td { padding: 3px 6px; border: 1px solid var(--grid); }
.matrix td { text-align: right; min-width: 28px; }
.matrix thead th { vertical-align: bottom; text-align: center; }
.matrix thead span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 160px; overflow: hidden; white-space: nowrap; }
.matrix tbody th { max-width: 200px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--foreground); font-weight: 400; }
.chart svg { display: block; max-width: 100%; height: auto; }
.chart .narrow { display: none; }
.pair { display: flex; flex-wrap: wrap; gap: 8px 16px; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 14px; margin: 0; padding: 0; list-style: none; font-size: 13px; line-height: 1.35; }
.samples img { display: block; width: 100%; height: 130px; object-fit: contain; background: var(--raised); border: 1px solid var(--grid); border-radius: 4px; margin-bottom: 4px; }
.samples span { display: block; overflow-wrap: anywhere; }
summary { cursor: pointer; margin: 12px 0; color: var(--muted); }
@media (max-width: 700px) { .chart .wide { display: none; } .chart .narrow { display: block; } }
@media print {
  :root { color-scheme: light; ${light} }
  main { max-width: none; padding: 0; }
  h2, h3 { break-after: avoid; }
  tr, figure, .samples li, .headline li { break-inside: avoid; }
  .scroll { overflow: visible; }
}
`;

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { html, type Markup, safe } from '../results/markup.ts';

/** A page, and the policy that lets its own script and style run and nothing else. */
export interface ServedPage {
  readonly page: string;
  readonly policy: string;
}

/** The folder of the built pages, from the bundle or from the sources. */
const built = new URL(import.meta.url.endsWith('.ts') ? '../../../dist/webview/' : '../webview/', import.meta.url);

export interface PageFacts {
  /** What classifies. */
  readonly title: string;
  readonly needsToken: boolean;
}

/** The page at `/` to try a model: one document that asks this server alone. */
export async function servePage({ title, needsToken }: PageFacts): Promise<ServedPage> {
  const [script, style] = await Promise.all([readBuilt('serving.js'), readBuilt('serving.css')]);
  const { markup } = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${title} – Fivecrop</title>
      <link rel="icon" href="data:," />
      ${inline('style', style)}
    </head>
    <body data-token="${needsToken ? 'needed' : 'none'}">
      <main>
        <h1>${title}</h1>
        <div id="root"></div>
      </main>
      ${inline('script', script)}
    </body>
  </html>`;
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    'img-src blob: data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { page: `<!doctype html>\n${markup}\n`, policy };
}

function readBuilt(name: string): Promise<string> {
  return readFile(new URL(name, built), 'utf8');
}

/** Nothing may stand around the text: the policy names its hash. */
function inline(tag: 'script' | 'style', text: string): Markup {
  return safe(`<${tag}>${text}</${tag}>`);
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

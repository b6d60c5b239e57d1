import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Browser, Page } from 'playwright-core';
import { webviewHtml } from '../../src/extension/panels/webviewHtml.ts';
import { patience } from '../e2e/until.ts';
import type { Theme } from '../e2e/workbench.ts';
import { themeVariables } from './themes.ts';

const root = join(import.meta.dirname, '..', '..');
const built = join(root, 'dist', 'webview');
const origin = 'http://pages.test';

export type PageName =
  'training' | 'prediction' | 'evaluation' | 'cleaning' | 'featureMap' | 'labelling' | 'dryRun' | 'sweep';

/** Fails if there are no pages to open: tests that are skipped for that would look as if they had passed. */
export function assertPagesAreBuilt(): void {
  if (!existsSync(join(built, 'training.js'))) throw new Error('The pages are not built. Run `npm run build` first.');
}

export type PageOptions<ToHost> = {
  name: PageName;
  theme?: Theme;
  width?: number;
  height?: number;
  /** State that an earlier life of the page kept. */
  state?: unknown;
  /** Answers a message of the page. */
  answer: (message: ToHost, post: (message: unknown) => Promise<void>) => Promise<void> | void;
};

export type OpenedPage<ToHost> = {
  page: Page;
  /** What the page said, in order; what a click has it say comes a moment after the click. */
  sent: ToHost[];
  /** The same with all that the page has said by now. */
  heard: () => Promise<ToHost[]>;
  /** What the page's console said of errors, and what the policy refused. */
  problems: string[];
  post: (message: unknown) => Promise<void>;
  close: () => Promise<void>;
};

/** A page as its panel shows it, under the panel's own policy, with a host and a theme that are made up. */
export async function openPage<ToHost>(browser: Browser, options: PageOptions<ToHost>): Promise<OpenedPage<ToHost>> {
  const { name, theme = 'dark', width = 1280, height = 900 } = options;
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const sent: ToHost[] = [];
  const problems: string[] = [];
  const post = async (message: unknown): Promise<void> => {
    await page.evaluate(`window.postMessage(${JSON.stringify(message)}, '*')`);
  };
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.exposeFunction('fivecropHost', async (message?: ToHost) => {
    if (message === undefined) return;
    sent.push(message);
    await options.answer(message, post);
  });
  await page.addInitScript(fakeEditor(themeVariables[theme], theme, options.state));
  await serve(page, name);
  await page.goto(`${origin}/`);
  // One call comes after the other.
  const heard = () => page.evaluate('window.fivecropHost()').then(() => sent);
  return { page, sent, heard, problems, post, close: () => context.close() };
}

/** The classes that the editor gives a page's body. */
const themeClasses: Record<Theme, string[]> = {
  light: ['vscode-light'],
  dark: ['vscode-dark'],
  highContrast: ['vscode-high-contrast'],
  highContrastLight: ['vscode-high-contrast', 'vscode-high-contrast-light'],
};

/** What the editor gives a page before its script runs. */
function fakeEditor(variables: Record<string, string>, theme: Theme, state: unknown): string {
  return `
    window.acquireVsCodeApi = () => ({
      postMessage: (message) => void window.fivecropHost(message),
      getState: () => window.fivecropState,
      setState: (state) => { window.fivecropState = state; },
    });
    window.fivecropState = ${JSON.stringify(state)};
    const dress = () => {
      for (const [name, value] of Object.entries(${JSON.stringify(variables)})) document.documentElement.style.setProperty(name, value);
    };
    if (document.documentElement) dress();
    else new MutationObserver((_, observer) => { if (document.documentElement) { observer.disconnect(); dress(); } }).observe(document, { childList: true });
    addEventListener('DOMContentLoaded', () => document.body.classList.add(...${JSON.stringify(themeClasses[theme])}));`;
}

async function serve(page: Page, name: PageName): Promise<void> {
  const html = webviewHtml({
    title: name,
    panel: 'sample-panel',
    cspSource: origin,
    script: `${origin}/${name}.js`,
    style: `${origin}/${name}.css`,
    language: 'en',
    texts: undefined,
    nonce: 'sample',
  });
  await page.route(`${origin}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname.slice(1);
    if (path === '') await route.fulfill({ contentType: 'text/html', body: html });
    else if (path === `${name}.js`)
      await route.fulfill({ contentType: 'text/javascript', body: await readFile(join(built, path)) });
    else if (path === `${name}.css`)
      await route.fulfill({ contentType: 'text/css', body: await readFile(join(built, path)) });
    else await route.fulfill({ status: 404 });
  });
}

const pictures = process.env['FIVECROP_SCREENSHOTS'] ?? join(root, 'test-results', 'pages');

/** Writes a picture of the page to `FIVECROP_SCREENSHOTS`, or without that variable to test-results/pages. */
export async function pageScreenshot(page: Page, name: string, fullPage = true): Promise<void> {
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage });
}

/** Keeps a picture that a page exported, there too. */
export async function keepPicture(name: string, content: Buffer): Promise<void> {
  await mkdir(pictures, { recursive: true });
  await writeFile(join(pictures, name), content);
}

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { launchBrowser } from '../../scripts/host/browser.ts';
import { hasRegistryHost, installCodeHost } from '../../scripts/host/codeHost.ts';
import { startCodeServer, type CodeServer } from '../../scripts/host/codeServer.ts';
import { presentVsix } from '../../scripts/host/vsix.ts';

const root = join(import.meta.dirname, '..', '..');

/** The reason why no workbench can be driven on this machine, for `test(..., { skip })`; false where one can. */
export const skipReason: string | false = hasRegistryHost()
  ? false
  : 'end-to-end tests need the VS Code server from the npm registry, which is for linux-x64';

export type Theme = 'light' | 'dark' | 'highContrast';

/** What each theme is called in settings and in the list of themes, and the class of a workbench that wears it. */
const themes: Record<Theme, { setting: string; label: string; className: string }> = {
  light: { setting: 'Default Light Modern', label: 'Light Modern', className: 'vs' },
  dark: { setting: 'Default Dark Modern', label: 'Dark Modern', className: 'vs-dark' },
  highContrast: { setting: 'Default High Contrast', label: 'Dark High Contrast', className: 'hc-black' },
};

export type WorkbenchOptions = {
  /** The folder to open. */
  folder: string;
  /** The package to install; the one of `npm run package` when left out. */
  vsix?: string;
  settings?: Record<string, unknown>;
  theme?: Theme;
  viewport?: { width: number; height: number };
  /** Leaves the question of workspace trust on. */
  workspaceTrust?: boolean;
  env?: Record<string, string>;
};

/** A workbench in a browser, with the extension installed in it. */
export type Workbench = { page: Page; server: CodeServer; folder: string };

/**
 * Opens a folder in a fresh workbench with the packaged extension, runs the scenario, and stops everything whatever
 * happens. When the scenario fails, a screenshot of that moment is kept under test-results/.
 */
export async function withWorkbench(
  options: WorkbenchOptions,
  scenario: (workbench: Workbench) => Promise<void>,
): Promise<void> {
  const server = await startCodeServer({
    host: await installCodeHost(),
    vsix: [options.vsix ?? presentVsix()],
    settings: { 'workbench.colorTheme': themes[options.theme ?? 'dark'].setting, ...options.settings },
    workspaceTrust: options.workspaceTrust ?? false,
    env: options.env ?? {},
  });
  try {
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage({ viewport: options.viewport ?? { width: 1280, height: 800 } });
      const workbench = { page, server, folder: options.folder };
      await page.goto(server.url(options.folder));
      await ready(workbench);
      await scenario(workbench).catch(async (error: unknown) => {
        await screenshot(workbench, `failure-${Date.now()}`).catch(() => undefined);
        throw error;
      });
    } finally {
      await browser.close();
    }
  } finally {
    await server.stop();
  }
}

/** Waits until the workbench is drawn and its extension host answers. */
export async function ready({ page }: Workbench): Promise<void> {
  await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
  await page.locator('.explorer-folders-view .monaco-list').waitFor({ timeout: 60_000 });
}

/** Loads the page anew, as *Developer: Reload Window* does. */
export async function reloadWindow(workbench: Workbench): Promise<void> {
  await workbench.page.reload();
  await ready(workbench);
}

/** Runs a command of the palette by the whole title that its row shows, such as `Fivecrop: Train Model...`. */
export async function runCommand(workbench: Workbench, title: string): Promise<void> {
  await showInPalette(workbench, title, exactly(title));
  // The row's click, not Enter: Enter runs whatever is first before the list is filtered.
  await quickPickRow(workbench, title).click();
}

/**
 * Opens the palette with `query` typed until a row with that label is shown: an open palette does not learn of
 * commands that an extension brings later.
 */
export async function showInPalette(workbench: Workbench, query: string, label: RegExp): Promise<void> {
  const { page } = workbench;
  const deadline = Date.now() + 60_000;
  for (;;) {
    await page.keyboard.press('F1');
    // Where an earlier one is just closing, this one may close with it.
    const typed = await quickInput(workbench)
      .locator('input')
      .fill(`>${query}`, { timeout: 2000 })
      .then(
        () => true,
        () => false,
      );
    if (typed && (await appears(quickPickRow(workbench, label), 2000))) return;
    if (Date.now() > deadline) throw new Error(`The palette shows no command "${query}".`);
    await page.keyboard.press('Escape');
  }
}

async function appears(locator: Locator, timeout: number): Promise<boolean> {
  return locator.waitFor({ timeout }).then(
    () => true,
    () => false,
  );
}

/** Chooses the row with that label in the open quick pick. */
export async function chooseQuickPick(workbench: Workbench, label: string | RegExp): Promise<void> {
  await quickPickRow(workbench, label).click();
}

/** Types into the open input box and accepts it. */
export async function answerInput(workbench: Workbench, text: string): Promise<void> {
  const input = quickInput(workbench).locator('input');
  await input.fill(text);
  await input.press('Enter');
}

/** The quick input: palette, quick picks and input boxes. */
export function quickInput({ page }: Workbench): Locator {
  return page.locator('.quick-input-widget');
}

/** A row of the quick input whose label is `label` as a whole, or matches it. */
export function quickPickRow(workbench: Workbench, label: string | RegExp): Locator {
  const name = workbench.page.locator('.quick-input-list-row .label-name', { hasText: exactly(label) });
  return quickInput(workbench).locator('.quick-input-list .monaco-list-row').filter({ has: name }).first();
}

/** Opens a view container of the activity bar by the name that its icon bears. */
export async function openViewContainer({ page }: Workbench, name: string): Promise<void> {
  const tab = page.locator('.activitybar .action-item').filter({ has: page.locator(`a[aria-label^="${name}"]`) });
  if ((await tab.getAttribute('aria-expanded')) !== 'true') await tab.click();
}

/** The rows of the tree view with that title, in the side bar or the panel. */
export function treeRows({ page }: Workbench, viewTitle: string): Locator {
  const header = page.locator('.pane-header', { has: page.locator('h3', { hasText: exactly(viewTitle) }) });
  return page.locator('.pane', { has: header }).locator('.monaco-list-row');
}

/** The row of a tree view whose label is `label` as a whole, or matches it. */
export function treeRow(workbench: Workbench, viewTitle: string, label: string | RegExp): Locator {
  const name = workbench.page.locator('.label-name', { hasText: exactly(label) });
  return treeRows(workbench, viewTitle).filter({ has: name }).first();
}

/** The explorer's row of a path relative to the open folder; the folders on the way to it are opened. */
export async function explorerRow(workbench: Workbench, path: string): Promise<Locator> {
  const { page } = workbench;
  const parts = path.split('/');
  const row = (depth: number) =>
    page
      .locator(`.explorer-folders-view .monaco-list-row[aria-level="${depth + 1}"]`)
      .filter({ has: page.locator('.label-name', { hasText: exactly(parts[depth] ?? '') }) })
      .first();
  for (let depth = 0; depth < parts.length - 1; depth++) {
    await row(depth).waitFor();
    if ((await row(depth).getAttribute('aria-expanded')) === 'false') await row(depth).click();
  }
  await row(parts.length - 1).waitFor();
  return row(parts.length - 1);
}

/** Chooses an entry of the context menu of whatever the locator shows. */
export async function chooseInContextMenu({ page }: Workbench, target: Locator, entry: string): Promise<void> {
  await target.click({ button: 'right' });
  const menu = page.locator('.context-view .monaco-menu');
  const item = menu.locator('.action-item', { has: page.locator('.action-label', { hasText: exactly(entry) }) });
  await item.click();
  // A click in the moment in which the menu opens is taken for the end of the right click.
  while (!(await disappears(menu, 500))) await item.click();
}

async function disappears(locator: Locator, timeout: number): Promise<boolean> {
  return locator.waitFor({ state: 'hidden', timeout }).then(
    () => true,
    () => false,
  );
}

/** The page inside the open webview, or inside the one at that place where several are open. */
export function webview({ page }: Workbench, index = 0): FrameLocator {
  return page.locator('iframe.webview.ready').nth(index).contentFrame().frameLocator('iframe#active-frame');
}

/** The notification toasts whose text matches. */
export function notification({ page }: Workbench, text: string | RegExp): Locator {
  return page.locator('.notifications-toasts .notification-list-item', { hasText: text });
}

/** The entry of the status bar whose text matches. */
export function statusBarItem({ page }: Workbench, text: string | RegExp): Locator {
  return page.locator('.statusbar-item', { hasText: text });
}

/** Changes user settings while the workbench runs; it takes them when the server's watcher next looks. */
export async function changeSettings({ server }: Workbench, changes: Record<string, unknown>): Promise<void> {
  const path = join(server.dataFolder, 'data', 'User', 'settings.json');
  const present = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...present, ...changes }, null, 2));
}

/** Changes the colour theme, as a user does, and waits until the workbench wears it. */
export async function changeTheme(workbench: Workbench, theme: Theme): Promise<void> {
  const { label, className } = themes[theme];
  const themed = workbench.page.locator(`.monaco-workbench.${className}`);
  if (await themed.isVisible()) return;
  await runCommand(workbench, 'Preferences: Color Theme');
  // The list is drawn in part only: filtered, the theme is there.
  await quickInput(workbench).locator('input').fill(label);
  await chooseQuickPick(workbench, label);
  await themed.waitFor();
}

/**
 * Writes a PNG of the window to test-results/screenshots (or `FIVECROP_SCREENSHOTS`) and returns its path; with
 * `themes`, one for each of them, the theme's name added.
 */
export async function screenshot(workbench: Workbench, name: string, themes?: readonly Theme[]): Promise<string[]> {
  const folder = process.env['FIVECROP_SCREENSHOTS'] ?? join(root, 'test-results', 'screenshots');
  await mkdir(folder, { recursive: true });
  const shoot = async (label: string) => {
    const path = join(folder, `${label}.png`);
    await workbench.page.screenshot({ path });
    return path;
  };
  if (themes === undefined) return [await shoot(name)];
  const paths = [];
  for (const theme of themes) {
    await changeTheme(workbench, theme);
    // Webviews take a theme's colours a moment after the workbench.
    await workbench.page.waitForTimeout(400);
    paths.push(await shoot(`${name}-${theme}`));
  }
  return paths;
}

function exactly(text: string | RegExp): RegExp {
  return typeof text === 'string' ? new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`) : text;
}

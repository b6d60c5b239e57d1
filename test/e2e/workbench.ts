import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { launchBrowser } from '../../scripts/host/browser.ts';
import { installCodeHost } from '../../scripts/host/codeHost.ts';
import { startCodeServer, type CodeServer } from '../../scripts/host/codeServer.ts';
import { presentVsix } from '../../scripts/host/vsix.ts';
import { patience, until } from './until.ts';

const root = join(import.meta.dirname, '..', '..');

export type Theme = 'light' | 'dark' | 'highContrast' | 'highContrastLight';

/** What each theme is called in settings and in the list of themes, and the class of a workbench that wears it. */
const themes: Record<Theme, { setting: string; label: string; className: string }> = {
  light: { setting: 'Default Light Modern', label: 'Light Modern', className: 'vs' },
  dark: { setting: 'Default Dark Modern', label: 'Dark Modern', className: 'vs-dark' },
  highContrast: { setting: 'Default High Contrast', label: 'Dark High Contrast', className: 'hc-black' },
  highContrastLight: { setting: 'Default High Contrast Light', label: 'Light High Contrast', className: 'hc-light' },
};

export type WorkbenchOptions = {
  /** The folder to open; none opens an empty window. */
  folder?: string;
  settings?: Record<string, unknown>;
  machineSettings?: Record<string, unknown>;
  theme?: Theme;
  viewport?: { width: number; height: number };
  /** Leaves the question of workspace trust on. */
  workspaceTrust?: boolean;
  env?: Record<string, string>;
  /** Packages of other extensions to install beside ours. */
  extensions?: readonly string[];
  /** Called when the server runs and the extension is installed, before the page is opened. */
  beforeOpening?: (server: CodeServer, page: Page) => Promise<void>;
};

/** A workbench in a browser, with the packaged extension installed in it. */
export type Workbench = {
  page: Page;
  server: CodeServer;
  /** What the page's console said, for who looks into a failure. */
  console: readonly string[];
  /** Ends browser and server, and removes what they wrote. */
  close: () => Promise<void>;
};

/** Opens a fresh workbench with the packaged extension. What was started is stopped when it cannot be opened. */
export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const { FIVECROP_EXTENSIONS: keptExtensions } = process.env;
  const server = await startCodeServer({
    host: await installCodeHost(),
    vsix: [presentVsix(), ...(options.extensions ?? [])],
    ...(keptExtensions !== undefined && { keptExtensions }),
    settings: { 'workbench.colorTheme': themes[options.theme ?? 'dark'].setting, ...options.settings },
    ...(options.machineSettings && { machineSettings: options.machineSettings }),
    workspaceTrust: options.workspaceTrust ?? false,
    env: options.env ?? {},
  });
  const browser = await launchBrowser().catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  const close = async () => {
    await browser.close();
    await server.stop();
  };
  try {
    const page = await browser.newPage({ viewport: options.viewport ?? { width: 1280, height: 800 } });
    page.setDefaultTimeout(patience);
    const said: string[] = [];
    page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => said.push(`uncaught: ${error.stack ?? error.message}`));
    const workbench = { page, server, console: said, close };
    await options.beforeOpening?.(server, page);
    await openFolder(workbench, options.folder);
    return workbench;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens another folder in the same window, or none. */
export async function openFolder(workbench: Workbench, folder?: string): Promise<void> {
  await workbench.page.goto(workbench.server.url(folder));
  await ready(workbench);
}

/** Waits until the workbench is drawn and knows the extension, which its icon shows. */
async function ready({ page }: Workbench): Promise<void> {
  await page.locator('.monaco-workbench').waitFor();
  await page.locator('.activitybar .action-item a[aria-label^="Fivecrop"]').waitFor();
}

/**
 * Has the window note which editors are open, as it does where its user turns to another window, and else once a minute:
 * what it notes as it goes can be lost. Waits until what it noted matches `editor`: the path of one, or its kind with
 * what its page keeps, which comes a moment after the page.
 */
export async function noteEditors({ page }: Workbench, editor: RegExp): Promise<void> {
  const isNoted = `(async () => {
    const result = (request) => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    for (const { name } of await indexedDB.databases()) {
      const database = await result(indexedDB.open(name));
      try {
        if (!database.objectStoreNames.contains('ItemTable')) continue;
        const items = database.transaction('ItemTable').objectStore('ItemTable');
        const noted = await result(items.get('memento/workbench.parts.editor'));
        if (${String(editor)}.test(String(noted))) return true;
      } finally {
        database.close();
      }
    }
    return false;
  })()`;
  // A browser that is driven says of every page that it has the focus; a blur says nothing new to a window whose focus
  // is in a webview.
  await page.evaluate(`document.hasFocus = () => false; document.dispatchEvent(new Event('visibilitychange'))`);
  await until(`${String(editor)} is noted`, () => page.evaluate<boolean>(isNoted));
  await page.evaluate(`delete document.hasFocus; document.dispatchEvent(new Event('visibilitychange'))`);
}

/** Loads the page anew, as *Developer: Reload Window* does. */
export async function reloadWindow(workbench: Workbench): Promise<void> {
  await workbench.page.reload();
  await ready(workbench);
}

/**
 * Runs a command of the palette by the whole title that its row shows, such as `Fivecrop: Train Model...`, with a click
 * or as `take` takes the row. Tries again until the row is there: an open palette does not learn of commands that an
 * extension brings later, and one that is just closing takes with it what was typed.
 */
export async function runCommand(
  workbench: Workbench,
  title: string,
  // Not Enter alone: it runs whatever is first before the list is filtered.
  take: (row: Locator) => Promise<void> = (row) => row.click({ timeout: 3000 }),
): Promise<void> {
  const { page } = workbench;
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      await page.keyboard.press('F1');
      await quickInput(workbench).locator('input').fill(`>${title}`, { timeout: 3000 });
      const row = quickPickRow(workbench, title);
      await row.waitFor({ timeout: 3000 });
      await take(row);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`The palette does not run "${title}".`, { cause: error });
      await page.keyboard.press('Escape');
    }
  }
}

/** Chooses the row with that label in the open quick pick. */
export async function chooseQuickPick(workbench: Workbench, label: string | RegExp): Promise<void> {
  await quickPickRow(workbench, label).click();
}

/** Chooses a row of a list that comes in parts, once it has lain still for longer than the list refuses moved rows. */
export async function chooseWhenStill(workbench: Workbench, label: string | RegExp): Promise<void> {
  const row = quickPickRow(workbench, label);
  await row.waitFor();
  let last = '';
  let looks = 0;
  await until(`the row ${String(label)} lies still`, async () => {
    const place = JSON.stringify(await row.boundingBox());
    looks = place === last ? looks + 1 : 0;
    last = place;
    return looks >= 4;
  });
  await row.click();
}

/** Types into the open input box and accepts it. */
export async function answerInput(workbench: Workbench, text: string): Promise<void> {
  const input = quickInput(workbench).locator('input');
  await input.fill(text);
  await input.press('Enter');
}

/**
 * Answers the dialog that asks where to save, once it offers a name: until it has read the folder, it writes its own
 * over what was typed.
 */
export async function saveAs(workbench: Workbench, file: string): Promise<void> {
  const dialog = quickInput(workbench);
  const input = dialog.locator('input');
  await input.and(workbench.page.locator(':focus')).waitFor();
  await until('the dialog offers a name', async () => /[^/]$/.test(await input.inputValue()));
  // While it looks through the folder that was typed, it takes no Enter.
  await until(`the dialog saves ${file}`, async () => {
    if (!(await dialog.isVisible())) return true;
    if (await succeeds(input.fill(file, { timeout: 3000 }))) await succeeds(input.press('Enter', { timeout: 3000 }));
    return succeeds(dialog.waitFor({ state: 'hidden', timeout: 3000 }));
  });
}

/** Runs a command that asks which of several, and chooses; again where a panel that opens takes the list's focus. */
export async function runCommandOn(workbench: Workbench, title: string, label: string | RegExp): Promise<void> {
  const deadline = Date.now() + patience;
  do {
    if (Date.now() > deadline) throw new Error(`"${title}" does not offer ${String(label)}.`);
    await runCommand(workbench, title);
  } while (!(await succeeds(quickPickRow(workbench, label).click({ timeout: 5000 }))));
}

/** Chooses a row that ends its question, again where the list is drawn anew under the click. */
export async function chooseUntilTaken(workbench: Workbench, label: string | RegExp): Promise<void> {
  const row = quickPickRow(workbench, label);
  const deadline = Date.now() + patience;
  do {
    if (Date.now() > deadline) throw new Error(`The list does not take ${String(label)}.`);
    await succeeds(row.click({ timeout: 3000 }));
  } while (!(await succeeds(row.waitFor({ state: 'hidden', timeout: 5000 }))));
}

/** Answers the last question of *Train Model*. */
export async function startTraining(workbench: Workbench): Promise<void> {
  await quickPickRow(workbench, /Show What Is in the Data/).waitFor();
  await chooseUntilTaken(workbench, /Start Training/);
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
    const opened = row(depth).and(page.locator('[aria-expanded="true"]'));
    await row(depth).waitFor();
    // Again where files that came just then moved the row away under the click.
    await until(`${parts[depth] ?? ''} is open`, async () => {
      if (await opened.isVisible()) return true;
      await succeeds(row(depth).click({ timeout: 3000 }));
      return succeeds(opened.waitFor({ timeout: 3000 }));
    });
  }
  await row(parts.length - 1).waitFor();
  return row(parts.length - 1);
}

/** Chooses an entry of the context menu of a row of a tree. */
export async function chooseInContextMenu({ page }: Workbench, row: Locator, entry: string): Promise<void> {
  const menu = page.locator('.context-view .monaco-menu');
  const label = page.locator('.action-label', { hasText: exactly(entry) });
  const item = menu.locator('.action-item:not(.disabled)', { has: label });
  const deadline = Date.now() + patience;
  for (;;) {
    await row.click({ button: 'right' });
    // A menu belongs to the row that has the focus, which is another where the tree moved under the click.
    const hit = await succeeds(row.and(page.locator('.focused')).waitFor({ timeout: 3000 }));
    if (hit && (await succeeds(item.waitFor({ timeout: 3000 })))) {
      // For a tenth of a second a menu takes a click for the end of the right click.
      await page.waitForTimeout(300);
      const clicked = await succeeds(item.click({ timeout: 3000 }));
      if (clicked && (await succeeds(menu.waitFor({ state: 'hidden', timeout: 5000 })))) return;
    }
    if (Date.now() > deadline) throw new Error(`The context menu does not run "${entry}".`);
    // A menu that opened before the extension or the trust in the folder was known is not what it will be.
    await page.keyboard.press('Escape');
  }
}

/** The entries of the context menu of a row of a tree that can be chosen. */
export async function contextMenuOf({ page }: Workbench, row: Locator): Promise<string[]> {
  const menu = page.locator('.context-view .monaco-menu');
  await row.click({ button: 'right' });
  await row.and(page.locator('.focused')).waitFor();
  await menu.waitFor();
  const labels = await menu.locator('.action-item:not(.disabled) .action-label').allTextContents();
  await page.keyboard.press('Escape');
  await menu.waitFor({ state: 'hidden' });
  return labels.filter((label) => label !== '');
}

/** Whether an action comes to its end. */
export async function succeeds(action: Promise<unknown>): Promise<boolean> {
  return action.then(
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
 * Writes a PNG of the window to `FIVECROP_SCREENSHOTS`, once in each of the themes; without that variable to
 * test-results/screenshots, as the window is.
 */
export async function screenshot(workbench: Workbench, name: string, wanted: readonly Theme[] = []): Promise<void> {
  const folder = process.env['FIVECROP_SCREENSHOTS'] ?? join(root, 'test-results', 'screenshots');
  await mkdir(folder, { recursive: true });
  if (wanted.length === 0 || process.env['FIVECROP_SCREENSHOTS'] === undefined) {
    await workbench.page.screenshot({ path: join(folder, `${name}.png`) });
    return;
  }
  for (const theme of wanted) {
    await changeTheme(workbench, theme);
    // Webviews take a theme's colours a moment after the workbench.
    await workbench.page.waitForTimeout(400);
    await workbench.page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
  }
}

function exactly(text: string | RegExp): RegExp {
  return typeof text === 'string' ? new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`) : text;
}

import * as vscode from 'vscode';
import { visible } from '../../protocol/visibleText.ts';
import { closeDormantTabs } from './dormantTabs.ts';
import { createPanel, viewType, type PageName } from './hostPage.ts';
import { newPanelId, type PanelMemory } from './panelMemory.ts';

/** Panels of one page, of which each shows something else. */
export interface KeyedPanels<Shown, Own> {
  /** Brings the panel that shows this to the front, or opens it; resolves to what it can do, and whether it is new. */
  readonly open: (shown: Shown) => Promise<{ readonly own: Own; readonly isNew: boolean }>;
  readonly dispose: () => void;
}

export interface KeyedPage<Shown, Own> {
  readonly page: PageName;
  readonly memory: PanelMemory<Shown>;
  /** There is one panel for each. */
  readonly keyOf: (shown: Shown) => string;
  readonly titleOf: (shown: Shown) => string;
  /** Puts the page into a panel, new or come back after a reload of the window. */
  readonly fill: (panel: vscode.WebviewPanel, id: string, shown: Shown) => Own;
}

/** Opens panels of a page, one for each key; those that were open come back after a reload of the window. */
export function createKeyedPanels<Shown, Own>({
  page,
  memory,
  keyOf,
  titleOf,
  fill,
}: KeyedPage<Shown, Own>): KeyedPanels<Shown, Own> {
  const panels = new Map<string, { readonly panel: vscode.WebviewPanel; readonly own: Own }>();
  let before: Promise<unknown> = Promise.resolve();

  const put = (panel: vscode.WebviewPanel, id: string, shown: Shown): Own => {
    const key = keyOf(shown);
    const own = fill(panel, id, shown);
    panels.set(key, { panel, own });
    panel.onDidDispose(() => panels.delete(key));
    return own;
  };
  const bringBack = (shown: Shown): Own | undefined => {
    const there = panels.get(keyOf(shown));
    there?.panel.reveal();
    return there?.own;
  };
  const openNow = async (shown: Shown): Promise<{ own: Own; isNew: boolean }> => {
    const title = visible(titleOf(shown));
    const there = bringBack(shown);
    if (there !== undefined) return { own: there, isNew: false };
    if (![...panels.values()].some(({ panel }) => panel.title === title)) await closeDormantTabs(page, title);
    // It may have come back meanwhile.
    const came = bringBack(shown);
    if (came !== undefined) return { own: came, isNew: false };
    return { own: put(createPanel(page, title), newPanelId(), shown), isNew: true };
  };
  const serializer = vscode.window.registerWebviewPanelSerializer(viewType(page), {
    deserializeWebviewPanel: (panel, state) => {
      const recalled = memory.recall(state);
      if (recalled && !panels.has(keyOf(recalled.value))) put(panel, recalled.id, recalled.value);
      else panel.dispose();
      return Promise.resolve();
    },
  });
  return {
    // One after the other: of two that are asked for at once, the second finds the panel of the first.
    open: (shown) => {
      const turn = before.then(() => openNow(shown));
      before = turn.catch(() => undefined);
      return turn;
    },
    dispose: () => {
      serializer.dispose();
    },
  };
}

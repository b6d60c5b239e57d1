import * as vscode from 'vscode';
import { viewType, type PageName } from './hostPage.ts';

/**
 * Closes the tabs of a page that a reload of the window left without life: the editor fills one when it is first looked
 * at, so that a panel which is opened before would stand beside it as its double. To be called when no panel of that
 * title is open; without a title, no panel of the page at all.
 */
export async function closeDormantTabs(page: PageName, title?: string): Promise<void> {
  const dormant = vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    // The editor puts a prefix before the type.
    .filter(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith(viewType(page)))
    .filter(({ label }) => title === undefined || label === title);
  if (dormant.length > 0) await vscode.window.tabGroups.close(dormant);
}

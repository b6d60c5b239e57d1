import * as vscode from 'vscode';
import type { Parts } from '../parts.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';

/** What the steps of the walkthrough wait for: the condition of each in package.json. */
type Condition = 'fivecrop.hasData' | 'fivecrop.hasTrained' | 'fivecrop.hasClassified' | 'fivecrop.hasTested';

/**
 * Ticks the steps of the walkthrough when there is something to show for them, not when their commands were opened.
 *
 * The editor ticks a step when its condition becomes true, and learns of steps when it first shows a walkthrough. A
 * condition that is true by then would never be ticked. So a condition is true for a moment only: when it is fulfilled,
 * and again whenever a page of the editor's own is opened.
 */
export function registerWalkthroughSteps({
  runs,
  dataFolders,
  service,
}: Pick<Parts, 'runs' | 'service'> & { readonly dataFolders: DataFolders }): vscode.Disposable {
  const fulfilled = new Set<Condition>();
  let telling = Promise.resolve();
  const tell = (conditions: Iterable<Condition>): void => {
    for (const condition of conditions) {
      telling = telling.then(async () => {
        await vscode.commands.executeCommand('setContext', condition, true);
        await vscode.commands.executeCommand('setContext', condition, false);
      });
    }
  };
  const fulfil = (condition: Condition, isTrue = true): void => {
    if (!isTrue || fulfilled.has(condition)) return;
    fulfilled.add(condition);
    tell([condition]);
  };
  const look = (): void => {
    fulfil('fivecrop.hasData', dataFolders.all().length > 0);
    fulfil(
      'fivecrop.hasTrained',
      runs.runs.some(({ state, record }) => state === 'finished' || record.best !== undefined),
    );
  };
  return vscode.Disposable.from(
    runs.onDidChange(look),
    dataFolders.onDidChange(look),
    service.onDidAnswer(({ type }) => {
      fulfil('fivecrop.hasClassified', type === 'prediction');
      fulfil('fivecrop.hasTested', type === 'evaluation');
    }),
    vscode.window.tabGroups.onDidChangeTabs(({ opened }) => {
      // Extensions are not told what such a page is.
      if (opened.some(({ input }) => input === undefined)) tell(fulfilled);
    }),
  );
}

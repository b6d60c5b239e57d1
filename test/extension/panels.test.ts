import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test, teardown } from 'mocha';
import * as vscode from 'vscode';
import { until } from '../e2e/until.ts';

suite('panels', () => {
  teardown(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  test('there is one panel for the test results of a checkpoint, however often it is asked for', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
    const checkpoint = (name: string) => vscode.Uri.file(join(folder, 'runs', name, 'checkpoints', 'best.safetensors'));
    for (const name of ['rose', 'lily', 'rose']) {
      await vscode.commands.executeCommand('fivecrop.showTestResults', checkpoint(name));
    }
    await until('two panels are open', () => panelTitles('fivecrop.evaluation').length === 2);
    assert.deepEqual(panelTitles('fivecrop.evaluation').sort(), ['Test of lily, best', 'Test of rose, best']);
  });

  test('a folder of images is cleaned in one panel', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? assert.fail('there is no folder');
    for (let turn = 0; turn < 2; turn++) await vscode.commands.executeCommand('fivecrop.cleanData', folder);
    await until('a panel is open', () => panelTitles('fivecrop.cleaning').length > 0);
    assert.equal(panelTitles('fivecrop.cleaning').length, 1);
  });

  test('a closed panel opens anew', async () => {
    const checkpoint = vscode.Uri.file('/nowhere/runs/rose/checkpoints/best.safetensors');
    await vscode.commands.executeCommand('fivecrop.showTestResults', checkpoint);
    await until('one panel is open', () => panelTitles('fivecrop.evaluation').length === 1);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await until('no panel is open', () => panelTitles('fivecrop.evaluation').length === 0);
    await vscode.commands.executeCommand('fivecrop.showTestResults', checkpoint);
    await until('one panel is open', () => panelTitles('fivecrop.evaluation').length === 1);
  });
});

function panelTitles(viewType: string): string[] {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  return tabs.flatMap(({ input, label }) =>
    // The editor puts a prefix before the type that the extension gave.
    input instanceof vscode.TabInputWebview && input.viewType.endsWith(viewType) ? [label] : [],
  );
}

import assert from 'node:assert/strict';
import { suite, test } from 'mocha';
import * as vscode from 'vscode';

type Manifest = { contributes?: { commands?: readonly { command: string }[] } };

suite('the extension in a real host', () => {
  test('is found and activates', async () => {
    await activated();
  });

  test('registers every command that its manifest names, and no other', async () => {
    const manifest = (await activated()).packageJSON as Manifest;
    const named = (manifest.contributes?.commands ?? []).map(({ command }) => command).sort();
    const registered = (await vscode.commands.getCommands(true)).filter((id) => id.startsWith('fivecrop.'));
    // Views bring commands of their own (focus, open, ...), which end like this.
    const own = registered.filter((id) => !/\.(focus|open|removeView|resetViewLocation|toggleVisibility)$/.test(id));
    assert.deepEqual(own.sort(), named);
  });
});

async function activated(): Promise<vscode.Extension<unknown>> {
  const extension = vscode.extensions.getExtension('fivecrop.fivecrop');
  assert.ok(extension, 'the host does not know fivecrop.fivecrop');
  await extension.activate();
  assert.ok(extension.isActive);
  return extension;
}

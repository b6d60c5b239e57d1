import assert from 'node:assert/strict';
import { suite, test } from 'mocha';
import * as vscode from 'vscode';

type Manifest = { contributes: { languageModelTools: readonly { name: string; inputSchema: object }[] } };

suite('tools for the language models of the editor', () => {
  test('are those of the manifest', async () => {
    const named = (await manifest()).contributes.languageModelTools.map(({ name }) => name);
    const known = vscode.lm.tools.map(({ name }) => name).filter((name) => name.startsWith('fivecrop_'));
    assert.deepEqual(known.sort(), [...named].sort());
  });

  test('that only read answer with data as JSON, and say in a sentence what is wrong', async () => {
    await manifest();
    const input = { limit: 1 };
    const { content } = await vscode.lm.invokeTool('fivecrop_list_runs', { input, toolInvocationToken: undefined });
    const [part] = content;
    assert.ok(part instanceof vscode.LanguageModelTextPart);
    const { runs, count } = JSON.parse(part.value) as { runs: unknown[]; count: number };
    assert.deepEqual([runs, count], [[], 0]);
    const outside = { input: { data: '../..' }, toolInvocationToken: undefined };
    await assert.rejects(
      async () => vscode.lm.invokeTool('fivecrop_check_data', outside),
      /lies outside the workspace/,
    );
  });
});

async function manifest(): Promise<Manifest> {
  const extension = vscode.extensions.getExtension('fivecrop.fivecrop');
  await extension?.activate();
  return extension?.packageJSON as Manifest;
}

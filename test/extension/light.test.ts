import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import { suite, test } from 'mocha';
import * as vscode from 'vscode';

const heavy = /(onnxruntime|[/\\]sharp[/\\]|@img[/\\]|tfjs|tensorflow)/;

suite('the extension host', () => {
  test('never loads what computes, neither as a script nor as a library', async () => {
    await vscode.extensions.getExtension('fivecrop.fivecrop')?.activate();
    // Reads runs and fills the views, so that everything of ours is loaded.
    await vscode.commands.executeCommand('fivecrop.refresh');
    const { _cache: scripts } = Module as unknown as { readonly _cache: Readonly<Record<string, unknown>> };
    assert.ok(
      Object.keys(scripts).some((path) => path.endsWith('startExtension.cjs')),
      'the extension itself is loaded',
    );
    assert.deepEqual(
      Object.keys(scripts).filter((path) => heavy.test(path)),
      [],
    );
    if (process.platform !== 'linux') return;
    const libraries = readFileSync('/proc/self/maps', 'utf8').split('\n');
    assert.deepEqual(
      libraries.filter((line) => heavy.test(line)),
      [],
    );
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import ts from 'typescript';
import { readyScripts } from '../../../src/ml/export/scripts/readyScripts.ts';
import { labels } from '../inference/fakeClassifier.ts';

/** Errors of the syntax of a module in JavaScript. */
function syntaxErrors(text: string): string[] {
  const { diagnostics = [] } = ts.transpileModule(text, {
    reportDiagnostics: true,
    fileName: 'script.mjs',
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext },
  });
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

for (const input of ['hwc', 'nchw'] as const) {
  test(`whatever an export is called, its scripts are programs that name it and its labels (${input})`, () => {
    for (const name of ['flowers.onnx', 'a"""b.ONNX', "it's <script>\\-->\n.onnx"]) {
      const scripts = readyScripts(`/exports/${name}`, labels, { input });
      const stem = name.slice(0, -5);
      const endings = ['labels.json', 'classify.py', 'classify.mjs', 'classify.html'];
      assert.deepEqual([...scripts.keys()], endings.map((ending) => `/exports/${stem}.${ending}`)); // prettier-ignore
      const [json = '', python = '', node = '', page = ''] = scripts.values();
      assert.deepEqual(JSON.parse(json), labels);
      const [, inPage = ''] = /<script type="module">([^]*)<\/script>\n<\/html>\n$/u.exec(page) ?? [];
      for (const text of [node, inPage]) {
        assert.deepEqual(syntaxErrors(text), []);
        const strings = [...text.matchAll(/"(?:[^"\\]|\\.)*"/gu)].map(([string]) => JSON.parse(string) as string);
        assert.ok(strings.includes(name) && strings.includes(`${stem}.labels.json`));
      }
      assert.equal(page.indexOf('-->'), page.indexOf('-->\n<html'), 'the name ends no comment');
      assert.equal(python.match(/"""/gu)?.length, 6, 'three docstrings');
    }
  });
}

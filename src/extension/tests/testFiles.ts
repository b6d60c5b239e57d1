import * as vscode from 'vscode';
import { accuracyTestsFile } from '../../protocol/accuracyTests.ts';
import { UserError } from '../../protocol/errors.ts';
import { visible } from '../../protocol/visibleText.ts';
import { readBoundedText, settingsLimit } from '../../runs/boundedFile.ts';
import { type Span, testsInFile, type TestInFile } from './testsInFile.ts';

/** Where files of tests are looked for. */
export const testsPattern = `**/${accuracyTestsFile}`;
const passedOver = '**/node_modules/**';

/** The files of tests in the workspace, at most so many. */
export function findTestFiles(most?: number): Thenable<vscode.Uri[]> {
  return vscode.workspace.findFiles(testsPattern, passedOver, most);
}

/** An expectation as the Test Explorer shows it. */
export interface ShownExpectation {
  readonly item: vscode.TestItem;
  /** `["slices", 0]` as JSON. */
  readonly at: string;
}
export interface ShownTest {
  readonly item: vscode.TestItem;
  readonly test: TestInFile;
  readonly expectations: readonly ShownExpectation[];
}

export interface TestFiles {
  readonly findAll: () => Promise<void>;
  /** The item of a file, which is made if it is not there. */
  readonly itemOf: (uri: vscode.Uri) => vscode.TestItem;
  /** Puts the tests of a file below its item as they are now, in its editor if it is open. */
  readonly read: (item: vscode.TestItem) => Promise<void>;
  /** The tests below a file's item. */
  readonly testsOf: (item: vscode.TestItem) => readonly ShownTest[];
}

/** The files of tests of the workspace, with their tests and expectations, as items of the controller. */
export function createTestFiles(controller: vscode.TestController): TestFiles {
  const known = new WeakMap<vscode.TestItem, readonly ShownTest[]>();
  const itemOf = (uri: vscode.Uri): vscode.TestItem => {
    const there = controller.items.get(uri.fsPath);
    if (there) return there;
    const item = controller.createTestItem(uri.fsPath, visible(vscode.workspace.asRelativePath(uri)), uri);
    item.canResolveChildren = true;
    controller.items.add(item);
    return item;
  };
  const itemAt = (id: string, label: string, uri: vscode.Uri, span: Span): vscode.TestItem => {
    const item = controller.createTestItem(id, visible(label), uri);
    item.range = rangeOf(span);
    return item;
  };
  const show = (test: TestInFile, uri: vscode.Uri): ShownTest => {
    const item = itemAt(test.id, test.test.name, uri, test.span);
    const expectations = test.expectations.map(({ at, label, span }) => {
      const key = JSON.stringify(at);
      return { item: itemAt(key, label, uri, span), at: key };
    });
    item.children.replace(expectations.map((one) => one.item));
    return { item, test, expectations };
  };
  const read = async (item: vscode.TestItem): Promise<void> => {
    const { uri } = item;
    // Tests and expectations are there with their file.
    if (uri === undefined || item.parent !== undefined) return;
    try {
      const tests = testsInFile(uri.fsPath, await textOf(uri)).map((test) => show(test, uri));
      known.set(item, tests);
      item.children.replace(tests.map((one) => one.item));
      item.error = undefined;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      known.delete(item);
      item.children.replace([]);
      item.error = visible(error.message);
    }
  };
  return {
    findAll: async () => {
      const found = await findTestFiles();
      const paths = new Set(found.map(({ fsPath }) => fsPath));
      for (const [id] of controller.items) if (!paths.has(id)) controller.items.delete(id);
      await Promise.all(found.map((uri) => read(itemOf(uri))));
    },
    itemOf,
    read,
    testsOf: (item) => known.get(item) ?? [],
  };
}

async function textOf(uri: vscode.Uri): Promise<string> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.fsPath === uri.fsPath);
  return open ? open.getText() : readBoundedText(uri.fsPath, settingsLimit);
}

function rangeOf({ start, end }: Span): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}

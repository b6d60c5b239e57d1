import { randomUUID } from 'node:crypto';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { accuracyTestsFile, type CheckedExpectation } from '../../protocol/accuracyTests.ts';
import { registerCommand, showFailure } from '../commands/registerCommand.ts';
import type { Parts, TitledImages } from '../parts.ts';
import { runTests } from './runTests.ts';
import { createTestFiles, findTestFiles, testsPattern } from './testFiles.ts';
import { expectedImagesSchema } from './unmetMessage.ts';

type ExplorerParts = Pick<Parts, 'log' | 'service' | 'panels'>;

/** Files of accuracy tests in the Test Explorer. There is nothing of ours in it until the workspace has such a file. */
export function registerTestExplorer(parts: ExplorerParts): vscode.Disposable {
  const watcher = vscode.workspace.createFileSystemWatcher(testsPattern);
  let explorer: Explorer | undefined;
  const begin = (): Explorer => (explorer ??= createExplorer(parts));
  const shown = (work: Promise<void>) => void work.catch((error: unknown) => showFailure(error, parts.log));
  const look = async (): Promise<void> => {
    if ((await findTestFiles(1)).length > 0) await begin().showOpen();
  };
  shown(look());
  return vscode.Disposable.from(
    watcher,
    watcher.onDidCreate((uri) => shown(begin().read(uri))),
    watcher.onDidChange((uri) => shown(begin().read(uri))),
    watcher.onDidDelete((uri) => explorer?.forget(uri)),
    vscode.workspace.onDidChangeWorkspaceFolders(() => shown(look())),
    registerCommand('fivecrop.showExpectedImages', parts.log, (argument: unknown) => {
      const { key, ...test } = expectedImagesSchema.parse(argument);
      parts.panels.showTestedImages(test, explorer?.imagesOf(key));
    }),
    new vscode.Disposable(() => explorer?.dispose()),
  );
}

interface Explorer {
  /** Shows the tests of files that are open in an editor. */
  readonly showOpen: () => Promise<void>;
  /** Reads a file, new or changed. */
  readonly read: (uri: vscode.Uri) => Promise<void>;
  readonly forget: (uri: vscode.Uri) => void;
  /** Images behind an expectation that was not met. */
  readonly imagesOf: (key: string) => TitledImages | undefined;
  readonly dispose: () => void;
}

/** Expectations whose images are remembered; of older ones the link shows the test alone. */
const mostRemembered = 200;
/** Milliseconds after which what is typed into a file is read. */
const settle = 300;

function createExplorer(parts: ExplorerParts): Explorer {
  const controller = vscode.tests.createTestController('fivecrop.tests', 'Fivecrop');
  const files = createTestFiles(controller);
  const remembered = new Map<string, TitledImages>();
  const remember = ({ expected, found, images }: CheckedExpectation): string => {
    const key = randomUUID();
    remembered.set(key, { title: l10n.t('Expected {0}; found {1}', expected, found), images });
    const [oldest] = remembered.keys();
    if (remembered.size > mostRemembered && oldest !== undefined) remembered.delete(oldest);
    return key;
  };
  const allowRuns = (): void => {
    const run = (request: vscode.TestRunRequest) => runTests(request, { controller, files, remember, parts });
    controller.createRunProfile(l10n.t('Test Checkpoints'), vscode.TestRunProfileKind.Run, run, true);
  };
  // Tests load checkpoints.
  if (vscode.workspace.isTrusted) allowRuns();
  controller.resolveHandler = (item) => (item === undefined ? files.findAll() : files.read(item));
  controller.refreshHandler = files.findAll;
  const typed = new Map<string, NodeJS.Timeout>();
  const isOurs = ({ uri }: vscode.TextDocument) =>
    uri.path.endsWith(`/${accuracyTestsFile}`) && vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  const readLater = (document: vscode.TextDocument): void => {
    if (!isOurs(document)) return;
    const key = document.uri.toString();
    clearTimeout(typed.get(key));
    const read = () => files.read(files.itemOf(document.uri));
    typed.set(key, setTimeout(() => void read().catch((error: unknown) => showFailure(error, parts.log)), settle)); // prettier-ignore
  };
  const listeners = vscode.Disposable.from(
    controller,
    vscode.workspace.onDidGrantWorkspaceTrust(allowRuns),
    vscode.workspace.onDidOpenTextDocument(readLater),
    vscode.workspace.onDidChangeTextDocument(({ document }) => readLater(document)),
    // What was typed and not saved is gone.
    vscode.workspace.onDidCloseTextDocument(readLater),
  );
  return {
    showOpen: async () => {
      const open = vscode.workspace.textDocuments.filter(isOurs);
      await Promise.all(open.map(({ uri }) => files.read(files.itemOf(uri))));
    },
    read: (uri) => files.read(files.itemOf(uri)),
    forget: ({ fsPath }) => controller.items.delete(fsPath),
    imagesOf: (key) => remembered.get(key),
    dispose: () => {
      for (const timer of typed.values()) clearTimeout(timer);
      listeners.dispose();
    },
  };
}

import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { CheckedExpectation } from '../../protocol/accuracyTests.ts';
import { CancelledError, messageOf, UserError } from '../../protocol/errors.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { answerOf } from '../service/answerOf.ts';
import { signalOf } from '../service/signalOf.ts';
import { readSettings } from '../settings.ts';
import type { ShownTest, TestFiles } from './testFiles.ts';
import { type MadeTest, showExpectedImages, unmetMessage } from './unmetMessage.ts';

/** What runs tests. */
interface Running {
  readonly controller: vscode.TestController;
  readonly files: TestFiles;
  /** Keeps the images of an expectation for its link. */
  readonly remember: (expectation: CheckedExpectation) => string;
  readonly parts: Pick<Parts, 'log' | 'service'>;
}

/** Runs the tests that are asked for, one after the other. */
export async function runTests(request: vscode.TestRunRequest, running: Running): Promise<void> {
  requireTrust('testing');
  const { controller, files } = running;
  const roots = await askedFiles(request, controller, files);
  const wanted = wantedTests(request, roots, files);
  const run = controller.createTestRun(request);
  const signal = signalOf(run.token);
  for (const { expectations } of wanted) for (const { item } of expectations) run.enqueued(item);
  try {
    for (const root of roots) {
      if (root.error !== undefined) run.errored(root, new vscode.TestMessage(root.error));
    }
    for (const shown of wanted) {
      if (signal.aborted) break;
      await runTest(shown, { ...running, run, signal });
    }
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
  } finally {
    run.end();
  }
}

/** The files whose tests are asked for, read anew. */
async function askedFiles(
  { include }: vscode.TestRunRequest,
  controller: vscode.TestController,
  files: TestFiles,
): Promise<readonly vscode.TestItem[]> {
  if (include === undefined) {
    await files.findAll();
    return Array.from(controller.items, ([, item]) => item);
  }
  const roots = [...new Set(include.map(rootOf))];
  await Promise.all(roots.map(files.read));
  return roots;
}

/** The tests that are asked for, each with the expectations that are. */
function wantedTests(
  { include, exclude = [] }: vscode.TestRunRequest,
  roots: readonly vscode.TestItem[],
  files: TestFiles,
): ShownTest[] {
  const asked = include && new Set(include.map(placeOf));
  const barred = new Set(exclude.map(placeOf));
  const isAmong = (places: ReadonlySet<string>, items: readonly vscode.TestItem[]) =>
    items.some((item) => places.has(placeOf(item)));
  return roots.flatMap((root) =>
    files.testsOf(root).flatMap(({ item, test, expectations }) => {
      const own = expectations.filter((one) => {
        const above = [root, item, one.item];
        return (!asked || isAmong(asked, above)) && !isAmong(barred, above);
      });
      return own.length === 0 ? [] : [{ item, test, expectations: own }];
    }),
  );
}

function rootOf(item: vscode.TestItem): vscode.TestItem {
  return item.parent === undefined ? item : rootOf(item.parent);
}

/** Tells an item from every other one, also from those that took its place. */
function placeOf(item: vscode.TestItem): string {
  return JSON.stringify([...(item.parent ? [placeOf(item.parent)] : []), item.id]);
}

async function runTest(
  { item: { uri }, test: { test }, expectations }: ShownTest,
  { run, signal, remember, parts }: Running & { readonly run: vscode.TestRun; readonly signal: AbortSignal },
): Promise<void> {
  const say = (line: string) => run.appendOutput(`${visible(line)}\r\n`);
  for (const { item } of expectations) run.started(item);
  try {
    const { engine, device } = readSettings();
    const folder = dirname(uri?.fsPath ?? '');
    const answer = await answerOf(parts.service, { type: 'assert', test, folder, engine, device }, 'asserted', {
      signal,
      onAnswer: (said) => {
        if (said.type === 'log') say(`${test.name}: ${said.message}`);
      },
    });
    for (const { item, at } of expectations) {
      // There is one for each slice.
      const own = answer.expectations.filter((one) => JSON.stringify(one.at) === at);
      if (own.length === 0) throw new Error(`nothing was answered of the expectation ${at}`);
      for (const { isMet, expected, found } of own) {
        say(`${test.name}: ${isMet ? 'as expected' : 'FAILED'}: ${expected}; found ${found}`);
      }
      const unmet = own.filter(({ isMet }) => !isMet);
      const made = { ...answer, split: test.split };
      if (unmet.length === 0) run.passed(item);
      else run.failed(item, unmet.map((one) => messageFor(one, made, item, remember(one)))); // prettier-ignore
    }
  } catch (error) {
    if (error instanceof CancelledError) {
      for (const { item } of expectations) run.skipped(item);
      throw error;
    }
    if (!(error instanceof UserError)) parts.log.error(error instanceof Error ? error : String(error));
    say(`${test.name}: could not be tested: ${messageOf(error)}`);
    for (const { item } of expectations) run.errored(item, located(visible(messageOf(error)), item));
  }
}

function messageFor(
  expectation: CheckedExpectation,
  test: MadeTest,
  item: vscode.TestItem,
  key: string,
): vscode.TestMessage {
  const text = new vscode.MarkdownString(unmetMessage(expectation, test, key));
  text.isTrusted = { enabledCommands: [showExpectedImages] };
  return located(text, item);
}

function located(text: string | vscode.MarkdownString, { uri, range }: vscode.TestItem): vscode.TestMessage {
  const message = new vscode.TestMessage(text);
  if (uri && range) message.location = new vscode.Location(uri, range);
  return message;
}

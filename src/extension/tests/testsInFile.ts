import * as l10n from '@vscode/l10n';
import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { type AccuracyTest, parseAccuracyTests } from '../../protocol/accuracyTests.ts';
import { parseBoundedJson } from '../../protocol/boundedJson.ts';
import { messageOf, userError } from '../../protocol/errors.ts';

/** Where something stands in a text: lines and columns from 0, columns in UTF-16 units, as the editor counts. */
export interface Span {
  readonly start: Place;
  readonly end: Place;
}
interface Place {
  readonly line: number;
  readonly character: number;
}

/** An expectation of a test: `at` is where it stands in it, as in a `CheckedExpectation`. */
export interface ExpectationInFile {
  readonly at: readonly (string | number)[];
  readonly label: string;
  readonly span: Span;
}

export interface TestInFile {
  /** Told from the other tests of the file, also when some come before it. */
  readonly id: string;
  readonly test: AccuracyTest;
  readonly span: Span;
  readonly expectations: readonly ExpectationInFile[];
}

/** The tests in the text of a file, with where they stand. Throws a user error that says what is wrong with it. */
export function testsInFile(file: string, text: string): TestInFile[] {
  const tests = parseAccuracyTests(file, jsonOf(file, text));
  const root = parseTree(text);
  const spanOf = createSpans(text);
  const seen = new Map<string, number>();
  return tests.map((test, index) => {
    const before = seen.get(test.name) ?? 0;
    seen.set(test.name, before + 1);
    const spanAt = (at: readonly (string | number)[]) => spanOf(root && nodeAt(root, ['tests', index, ...at]));
    return {
      id: `${before} ${test.name}`,
      test,
      span: spanAt([]),
      expectations: expectationsOf(test).map(({ at, label }) => ({ at, label, span: spanAt(at) })),
    };
  });
}

function jsonOf(file: string, text: string): unknown {
  try {
    return parseBoundedJson(text);
  } catch (error) {
    throw userError(`${file} cannot be used: ${messageOf(error)}.`, error);
  }
}

function expectationsOf({
  accuracy,
  top5,
  macroF1,
  recall = {},
  slices = [],
  baseline,
}: AccuracyTest): Omit<ExpectationInFile, 'span'>[] {
  const figure = (at: string, least: number | undefined, label: (least: string) => string) =>
    least === undefined ? [] : [{ at: [at], label: label(String(least)) }];
  return [
    ...figure('accuracy', accuracy, (least) => l10n.t('Accuracy at least {0}', least)),
    ...figure('top5', top5, (least) => l10n.t('Top-5 accuracy at least {0}', least)),
    ...figure('macroF1', macroF1, (least) => l10n.t('Mean F1 at least {0}', least)),
    ...Object.entries(recall).map(([name, least]) => ({
      at: ['recall', name],
      label: l10n.t('Recall of {0} at least {1}', name, String(least)),
    })),
    ...slices.map(({ by, accuracy: least }, index) => ({
      at: ['slices', index],
      label: l10n.t('Accuracy of each slice by {0} at least {1}', by, String(least)),
    })),
    ...(baseline
      ? [{ at: ['baseline'], label: l10n.t('Not worse than {0} (p at least {1})', baseline.checkpoint, String(baseline.p)) }] // prettier-ignore
      : []),
  ];
}

/** A property with its name; an item of a list alone. */
function nodeAt(root: Node, at: readonly (string | number)[]): Node | undefined {
  const node = findNodeAtLocation(root, [...at]);
  return node?.parent?.type === 'property' ? node.parent : node;
}

/** Says where a node stands; at the beginning if there is none. */
function createSpans(text: string): (node: Node | undefined) => Span {
  const starts = [0, ...Array.from(text.matchAll(/\r\n|\r|\n/gu), ({ index, 0: end }) => index + end.length)];
  const placeOf = (offset: number): Place => {
    let [line, end] = [0, starts.length];
    while (end - line > 1) {
      const middle = (line + end) >> 1;
      if ((starts[middle] ?? 0) <= offset) line = middle;
      else end = middle;
    }
    return { line, character: offset - (starts[line] ?? 0) };
  };
  return (node) => {
    const { offset, length } = node ?? { offset: 0, length: 0 };
    return { start: placeOf(offset), end: placeOf(offset + length) };
  };
}

import { Command } from 'commander';
import { dirname } from 'node:path';
import process from 'node:process';
import {
  type AccuracyTest,
  accuracyTestsFile,
  type CheckedExpectation,
  parseAccuracyTests,
} from '../../protocol/accuracyTests.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { writeTextAtomically } from '../../runs/atomicFile.ts';
import { readBoundedJson, settingsLimit } from '../../runs/boundedFile.ts';
import type { WantedTest } from '../../runs/evaluations.ts';
import { assertAccuracy } from '../inference/assertAccuracy.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import { loadClassifier } from '../inference/loadClassifier.ts';
import { junitXml } from '../results/junitXml.ts';
import { computingOptions, placementFromFlags } from './computingFlags.ts';
import type { OptionValues } from './configFlags.ts';
import { createOutput, type Output } from './output.ts';
import { testVisibly } from './testVisibly.ts';

const examples = `
Examples:
  fivecrop assert                                          the tests in ./${accuracyTestsFile}
  fivecrop assert flowers.tests.json --junit results.xml

A file of tests, whose paths are relative to it:
  {
    "version": 1,
    "tests": [
      {
        "name": "flowers", "checkpoint": "runs/NAME", "data": "flowers",
        "accuracy": 0.9, "recall": { "daisy": 0.8 },
        "slices": [{ "by": "brightness", "accuracy": 0.7 }],
        "baseline": { "checkpoint": "runs/BEFORE" }
      }
    ]
  }

Without "checkpoint" the newest finished run in "runs" is tested. Exits with 1 if an expectation is not met.`;

/** `fivecrop assert`: see its help text. */
export function assertCommand(): Command {
  const command = new Command('assert')
    .summary('test that checkpoints are as good as a file says')
    .description(
      'Tests checkpoints and fails if one is not as good as expected: accuracy, classes, slices, a baseline.',
    )
    .argument('[file]', 'file of tests', accuracyTestsFile)
    .option('--junit <file>', 'write the results as JUnit XML, for CI')
    .addHelpText('after', examples);
  for (const option of computingOptions()) command.addOption(option);
  return command
    .option('--json', 'print one object per test, one per line')
    .action((file: string, options: OptionValues) => assertAll(file, options));
}

/** What became of a test. */
interface Asserted {
  readonly name: string;
  readonly seconds: number;
  readonly expectations: readonly CheckedExpectation[];
  /** Why it could not be run. */
  readonly error?: string;
}

async function assertAll(file: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const tests = await readTests(file);
  const placement = await placementFromFlags(options, output.say);
  const results: Asserted[] = [];
  for (const test of tests) {
    const result = await assertOne(test, dirname(file), placement, output);
    results.push(result);
    output.object(result);
    for (const line of linesOf(result)) output.print(line);
  }
  const { junit } = options;
  if (typeof junit === 'string') {
    const cases = results.map(({ expectations, ...result }) => ({ ...result, failures: failuresOf(expectations) }));
    await writeTextAtomically(junit, junitXml(file, cases));
  }
  if (!results.every(isMet)) process.exitCode = 1;
}

function isMet({ expectations, error }: Asserted): boolean {
  return error === undefined && expectations.every((expectation) => expectation.isMet);
}

function failuresOf(expectations: readonly CheckedExpectation[]): string[] {
  return expectations.filter((one) => !one.isMet).map(({ expected, found }) => `Expected ${expected}; found ${found}.`);
}

function linesOf({ name, expectations, error }: Asserted): string[] {
  if (error !== undefined) return [`${name}: could not be tested: ${error}`];
  return expectations.map(
    (one) => `${name}: ${one.isMet ? 'as expected' : 'FAILED'}: ${one.expected}; found ${one.found}`,
  );
}

async function readTests(file: string): Promise<AccuracyTest[]> {
  return parseAccuracyTests(file, await readBoundedJson(file, settingsLimit));
}

/** A test that cannot be run fails, and the others are run. Its paths are relative to `folder`. */
async function assertOne(test: AccuracyTest, folder: string, placement: Placement, output: Output): Promise<Asserted> {
  const start = performance.now();
  const ended = () => ({ name: test.name, seconds: (performance.now() - start) / 1000 });
  const evaluate = (checkpoint: string, on: WantedTest) => evaluationOf(checkpoint, on, placement, output);
  try {
    const { expectations } = await assertAccuracy(test, { folder, evaluate, say: output.say });
    return { expectations, ...ended() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { expectations: [], error: error.message, ...ended() };
  }
}

async function evaluationOf(
  checkpoint: string,
  on: WantedTest,
  placement: Placement,
  output: Output,
): Promise<Evaluation> {
  output.say(`Testing ${checkpoint} on ${on.data}`);
  const classifier = await loadClassifier({ kind: 'checkpoint', file: checkpoint }, placement, { log: output.say });
  try {
    return (await testVisibly(classifier, { checkpoint, ...on }, output)).evaluation;
  } finally {
    await classifier.dispose();
  }
}

import { basename } from 'node:path';
import * as z from 'zod';
import { list, text } from '../protocol/bounded.ts';
import { compareEvaluations, lossesCompare } from '../protocol/compareEvaluations.ts';
import { differingClasses } from '../protocol/comparisonReport.ts';
import { differingSettings } from '../protocol/differingSettings.ts';
import { distinctNames } from '../protocol/distinctNames.ts';
import { userError } from '../protocol/errors.ts';
import { differentImages, differentImagesSentence } from '../protocol/sameImages.ts';
import { seenOfImages } from '../protocol/seenOfImages.ts';
import { keptEvaluation } from '../runs/evaluations.ts';
import { runOfCheckpoint } from '../runs/list.ts';
import { readRunRecord } from '../runs/record.ts';
import { cropsInput, dataInput, limitInput, splitInput } from './inputs.ts';
import { dataOfRun } from './testClassifier.ts';
import { defineTool, readsOnly } from './tool.ts';
import { checkpointInside, pathInside, pathShown, type Workplace } from './workplace.ts';

const mostRuns = 20;

/** Runs beside each other, on the same images. */
export const compareRuns = defineTool({
  name: 'compare_runs',
  title: 'Compare Runs',
  description:
    'Compares runs on the same images: accuracy with its interval, whether a difference is more than chance (McNemar’s exact test; with several pairs, judge by adjustedP), the classes and the settings that differ, and images that some get right and others wrong. Reads the results that test_classifier keeps: test each run first, with the same data, split and crops.',
  input: z.strictObject({
    runs: list(text(1000, 1), mostRuns).min(2, 'expected at least two runs').describe('Names of runs.'),
    data: dataInput.optional().describe('Folder of images that they were tested on. If not set, that which each was trained on.'), // prettier-ignore
    split: splitInput,
    crops: cropsInput.default(1),
    limit: limitInput(10),
  }),
  output: z.object({
    of: z.string().describe('Which images the figures are of.'),
    images: z.number(),
    runs: z.array(
      z.object({
        run: z.string(),
        accuracy: z.number(),
        interval: z.object({ low: z.number(), high: z.number() }),
        macroF1: z.number(),
        loss: z.number().optional().describe('Absent if some have a temperature and others have none.'),
      }),
    ),
    pairs: z.array(
      z.object({
        first: z.string(),
        second: z.string(),
        ...{ both: z.number(), onlyFirst: z.number(), onlySecond: z.number(), neither: z.number() },
        p: z.number().describe('How likely such a difference is if both were equally good.'),
        adjustedP: z.number(),
      }),
    ),
    classes: z
      .array(z.object({ folder: z.string(), name: z.string(), images: z.number(), right: z.array(z.number()) }))
      .describe('Classes that differ most: how many of their images each run gets right, in the order of runs.'),
    settings: z.array(z.object({ setting: z.string(), values: z.array(z.string()) })),
    disputed: z.array(z.object({ image: z.string(), actual: z.string(), predicted: z.array(z.string()) })),
  }),
  effects: readsOnly,
  prepare: async ({ runs, split, crops, limit, ...given }, { workplace }) => {
    const data = given.data === undefined ? undefined : await pathInside(workplace, given.data);
    const checkpoints: string[] = [];
    for (const run of runs) checkpoints.push(await checkpointInside(workplace, run));
    return {
      run: async () => {
        const tested = [];
        for (const [place, checkpoint] of checkpoints.entries()) {
          const wish = { data, split, cropCount: crops };
          tested.push(await testOf(checkpoint, runs[place] ?? '', wish, workplace));
        }
        const names = distinctNames(tested.map(({ name }) => name));
        const tests = tested.map(({ evaluation }, place) => ({ name: names[place] ?? '', evaluation }));
        const different = differentImages(tests);
        if (different) {
          const remedy =
            'test them with test_classifier on a folder that none of them was trained on, and give it as data';
          throw userError(`${differentImagesSentence({ ...different, common: 0 }, remedy)}.`);
        }
        const comparison = compareEvaluations(tests);
        const seen = seenOfImages(tests.map(({ evaluation }) => evaluation));
        const folder = basename(tests[0]?.evaluation.data ?? '');
        const name = (place: number) => names[place] ?? '';
        const hasLosses = lossesCompare(comparison.figures);
        return {
          of: `${comparison.images} ${split} images of ${folder}, ${seen} of each`,
          images: comparison.images,
          runs: comparison.figures.map(({ accuracy, interval, macro, loss }, place) => ({
            ...{ run: name(place), accuracy, interval, macroF1: macro.f1 },
            ...(hasLosses ? { loss } : {}),
          })),
          pairs: comparison.pairs.map(({ first, second, ...pair }) => ({ ...pair, first: name(first), second: name(second) })), // prettier-ignore
          classes: differingClasses(comparison.classes).slice(0, limit),
          settings: differingSettings(tested.map(({ record }) => record)).slice(0, limit),
          disputed: comparison.disputed.slice(0, limit).map(({ file, actual, predicted }) => ({
            ...{ image: pathShown(workplace, file), actual, predicted },
          })),
        };
      },
    };
  },
});

interface TestWish {
  readonly data: string | undefined;
  readonly split: z.infer<typeof splitInput>;
  readonly cropCount: 1 | 5;
}

/** The test of a run that is kept beside its checkpoint. Throws a user error that says what to do if there is none. */
async function testOf(checkpoint: string, given: string, wish: TestWish, workplace: Workplace) {
  const folder = await runOfCheckpoint(checkpoint);
  if (folder === undefined) throw userError(`${given} is not in the folder of a run: name runs.`);
  const data = wish.data ?? (await dataOfRun(checkpoint, given));
  const evaluation = await keptEvaluation(checkpoint, { ...wish, data }, () => undefined);
  if (evaluation) return { name: basename(folder), record: await readRunRecord(folder), evaluation };
  const crops = wish.cropCount === 1 ? 'crops 1' : 'crops 5';
  throw userError(`${given} has no test on the ${wish.split} images of ${pathShown(workplace, data)} with ${crops}: call test_classifier first.`); // prettier-ignore
}

import { basename } from 'node:path';
import * as z from 'zod';
import { userError } from '../protocol/errors.ts';
import { evaluationPath, type Evaluation } from '../protocol/evaluation.ts';
import { evaluationMetrics } from '../protocol/evaluationMetrics.ts';
import { seenOfImages } from '../protocol/seenOfImages.ts';
import { runOfCheckpoint } from '../runs/list.ts';
import { readRunRecord } from '../runs/record.ts';
import { cropsInput, dataInput, limitInput, runInput, splitInput } from './inputs.ts';
import { answerOf, defineTool, readsOnly } from './tool.ts';
import { checkpointInside, dataFolder, pathShown, type Workplace } from './workplace.ts';

const share = z.number().describe('From 0 to 1.');

/** How good a classifier is on images that it was not trained on. */
export const testClassifier = defineTool({
  name: 'test_classifier',
  title: 'Test Classifier',
  description:
    'Measures how good a classifier is on images that it was not trained on: accuracy with its 95 % interval, precision, recall and F1 by class, the classes that are confused most, and the images that it is most wrong about. By default on the test images of the data that it was trained on. Keeps the result in a file beside the checkpoint, which compare_runs reads; the user is asked first.',
  input: z.strictObject({
    run: runInput,
    data: dataInput.optional().describe('Folder of images to test on. If not set, that which the run was trained on.'),
    split: splitInput,
    crops: cropsInput.default(1),
    limit: limitInput(10),
  }),
  output: z.object({
    run: z.string(),
    of: z.string().describe('Which images the figures are of, and how they were seen.'),
    images: z.number(),
    accuracy: share,
    interval: z.object({ low: share, high: share }),
    top5: share,
    loss: z.number().describe('Mean negative logarithm of the probability of an image’s own class.'),
    macro: z.object({ precision: share, recall: share, f1: share }).describe('Means over classes.'),
    classes: z
      .array(
        z.object({
          folder: z.string(),
          name: z.string(),
          images: z.number(),
          precision: share,
          recall: share,
          f1: share,
        }),
      ) // prettier-ignore
      .describe('The classes with the lowest F1.'),
    confusions: z
      .array(z.object({ actual: z.string(), predicted: z.string(), images: z.number() }))
      .describe('Folders of the classes that are confused most often.'),
    wrong: z
      .array(z.object({ image: z.string(), actual: z.string(), predicted: z.string(), probability: share }))
      .describe('Images that are predicted wrong, the most confident first: their labels may be wrong too.'),
    notes: z.array(z.string()).describe('What a reader of the figures should know.'),
    kept: z.string().optional().describe('The file that keeps the result.'),
  }),
  effects: { ...readsOnly, readOnlyHint: false },
  prepare: async ({ run, split, crops, limit, ...given }, context) => {
    const { workplace, engine, device, signal } = context;
    const checkpoint = await checkpointInside(workplace, run);
    const data = await dataFolder(workplace, given.data ?? (await dataOfRun(checkpoint, run)), signal);
    const kept = evaluationPath({ checkpoint, data, split, cropCount: crops });
    const shown = { run, data: pathShown(workplace, data), kept: pathShown(workplace, kept) };
    return {
      question: `Test ${shown.run} on the ${split} images of ${shown.data}, and keep the result in ${shown.kept}?`,
      run: async () => {
        const notes: string[] = [];
        const request = { type: 'evaluate' as const, checkpoint, data, split, crops, engine, device };
        const { evaluation, file } = await answerOf(context, request, 'evaluation', (note) => notes.push(note));
        return {
          run,
          ...toldEvaluation(evaluation, limit, workplace),
          notes: [...new Set([...(evaluation.selection?.notes ?? []), ...notes])].slice(0, limit),
          ...(file === undefined ? {} : { kept: pathShown(workplace, file) }),
        };
      },
    };
  },
});

/** The data folder that a checkpoint’s run was trained on. Throws a user error if that is not known. */
export async function dataOfRun(checkpoint: string, given: string): Promise<string> {
  const folder = await runOfCheckpoint(checkpoint);
  if (folder === undefined)
    throw userError(`${given} is not in the folder of a run, so its data is unknown: give data.`);
  const { data, config } = await readRunRecord(folder);
  return data?.data ?? config.data;
}

/** Which images an evaluation is of, as words. */
export function imagesOf(evaluation: Evaluation): string {
  const { images, split, data, selection, leftOut } = evaluation;
  const used = selection?.alreadyUsed ?? 0;
  return [
    `${images} ${split} images of ${basename(data)}, ${seenOfImages([evaluation])} of each`,
    ...(leftOut > 0 ? [`${leftOut} that do not decode are left out`] : []),
    ...(used > 0 ? [`${used} that the run had used are left out`] : []),
    ...(selection?.knowsTraining === true ? [] : ['it is not known whether it was trained on some of them']),
  ].join('; ');
}

function toldEvaluation(evaluation: Evaluation, limit: number, workplace: Workplace) {
  const { images, accuracy, top5, loss, confusion, perClass, results } = evaluation;
  const { accuracyInterval, macro, perClass: classes } = evaluationMetrics(evaluation);
  const folders = new Map(perClass.map(({ index, folder }) => [index, folder]));
  const folder = (index: number) => folders.get(index) ?? `class ${index}`;
  return {
    of: imagesOf(evaluation),
    ...{ images, accuracy, interval: accuracyInterval, top5, loss, macro },
    classes: classes.toSorted((a, b) => a.f1 - b.f1).slice(0, limit),
    confusions: confusion
      .filter(([actual, predicted]) => actual !== predicted)
      .toSorted(([, , a], [, , b]) => b - a)
      .slice(0, limit)
      .map(([actual, predicted, count]) => ({ actual: folder(actual), predicted: folder(predicted), images: count })),
    wrong: results
      .filter(({ actual, predicted }) => actual !== predicted)
      .toSorted((a, b) => b.probability - a.probability)
      .slice(0, limit)
      .map(({ image, actual, predicted, probability }) => ({
        ...{ image: pathShown(workplace, image), actual: folder(actual), predicted: folder(predicted), probability },
      })),
  };
}

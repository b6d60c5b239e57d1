import * as z from 'zod';
import { contradictionIn } from '../protocol/contradictions.ts';
import { usageError } from '../protocol/errors.ts';
import type { DataReport } from '../protocol/dataReport.ts';
import { trainingConfigSchema } from '../protocol/trainingConfig.ts';
import { dataInput, layoutInput, limitInput } from './inputs.ts';
import { answerOf, defineTool, readsOnly } from './tool.ts';
import { dataFolder, pathShown, type Workplace } from './workplace.ts';

const { validShare, testShare, seed } = trainingConfigSchema.shape;
const splits = z.object({ train: z.number(), valid: z.number(), test: z.number() });

/** Files of a group of copies that are told. */
const mostCopies = 5;

/** What is there to be trained on. */
export const checkData = defineTool({
  name: 'check_data',
  title: 'Check Data',
  description:
    'Checks a folder of images before a training: counts the images of each class and split, decodes every image, and finds damaged files, copies of one picture in different splits or classes, and classes that are too small. Reads only. Says in ready whether train_classifier can use the folder, and in findings what to put right first.',
  input: z.strictObject({ data: dataInput, layout: layoutInput, validShare, testShare, seed, limit: limitInput(20) }),
  output: z.object({
    data: z.string(),
    ready: z.boolean().describe('Whether a training would not fail on it.'),
    of: z.string().describe('Which images the figures are of.'),
    images: splits,
    classCount: z.number(),
    classes: z.array(z.object({ folder: z.string(), name: z.string(), ...splits.shape })),
    findingCount: z.number(),
    findings: z.array(z.object({ level: z.string(), what: z.string(), todo: z.string().optional() })),
    undecodableCount: z.number(),
    undecodable: z.array(z.object({ file: z.string(), reason: z.string() })),
    copyCount: z.number().describe('Groups of files that show one picture.'),
    copies: z.array(
      z.object({
        fileCount: z.number(),
        files: z.array(z.string()).describe(`The first ${mostCopies} of them.`),
        acrossSplits: z.boolean(),
        acrossClasses: z.boolean(),
      }),
    ),
  }),
  effects: readsOnly,
  prepare: async ({ limit, ...input }, context) => {
    const contradiction = contradictionIn(input);
    if (contradiction !== undefined) throw usageError(contradiction);
    const data = await dataFolder(context.workplace, input.data, context.signal);
    return {
      run: async () => {
        const request = { type: 'check' as const, quick: false, ...input, data };
        const { report } = await answerOf(context, request, 'report');
        return toldReport(report, limit, context.workplace);
      },
    };
  },
});

function toldReport(report: DataReport, limit: number, workplace: Workplace) {
  const { data, images, classes, findings, undecodable, duplicates, splitBy } = report;
  return {
    data: pathShown(workplace, data),
    ready: findings.every(({ level }) => level !== 'error'),
    of: `all images in the folder; ${splitBy === 'folders' ? 'its own folders are the splits' : 'it has no splits, so a seed draws them'}`,
    images,
    classCount: classes.length,
    classes: classes.slice(0, limit),
    findingCount: findings.length,
    findings: findings.slice(0, limit),
    undecodableCount: undecodable.length,
    undecodable: undecodable.slice(0, limit),
    copyCount: duplicates.length,
    copies: duplicates
      .slice(0, limit)
      .map(({ files, ...where }) => ({ fileCount: files.length, files: files.slice(0, mostCopies), ...where })),
  };
}

import { stat } from 'node:fs/promises';
import * as z from 'zod';
import { path, text } from '../protocol/bounded.ts';
import { userError } from '../protocol/errors.ts';
import type { Explanation } from '../protocol/explanation.ts';
import { someOf } from '../protocol/someOf.ts';
import { readCheckpointMetadata } from '../runs/checkpointHeader.ts';
import { cropsInput, runInput } from './inputs.ts';
import { answerOf, defineTool, readsOnly, type ToolContext } from './tool.ts';
import { checkpointInside, pathShown, presentPath } from './workplace.ts';

/** Cells of a told map along each side. */
const cells = 5;

/** Where in an image a class was seen. */
export const explainImage = defineTool({
  name: 'explain_image',
  title: 'Explain Image',
  description:
    'Shows where in an image a run sees a class: for the center crop or each of five crops, the place that speaks most for the class in pixels of the image, and a coarse map. With picture, a model that sees images gets one of the crops with their maps too. Tells whether a classifier looks at the thing itself or at its background. Reads only.',
  input: z.strictObject({
    run: runInput,
    image: path().describe('An image, relative to the workspace.'),
    class: text(1000, 1)
      .optional()
      .describe('The class to look for, by its folder or its name. If not set, the likeliest.'),
    crops: cropsInput.default(1),
    picture: z.boolean().default(false).describe('Whether a picture comes with the result: the crops, each with its map over it. Nothing is written.'), // prettier-ignore
  }),
  output: z.object({
    image: z.string(),
    of: z.string(),
    class: z.string().describe('Name of the class.'),
    method: z.string().describe('Grad-CAM, attention weighted by gradients, or occlusion.'),
    picture: z.string().optional().describe('What the picture shows that comes with this result.'),
    crops: z.array(
      z.object({
        crop: z.string(),
        probability: z.number(),
        seenMost: z
          .object({ left: z.number(), top: z.number() })
          .optional()
          .describe('In pixels of the image; absent if nothing speaks for the class.'),
        map: z
          .array(z.array(z.number()))
          .describe(`Rows of ${cells} by ${cells} places of the crop, the upper one first: how much each speaks for the class, from 0 to 1.`), // prettier-ignore
      }),
    ),
  }),
  effects: readsOnly,
  prepare: async ({ run, image: given, class: wanted, crops, picture }, context) => {
    const { workplace, engine, device, onPicture } = context;
    if (picture && !onPicture) throw userError('This editor can show no pictures to its models: leave picture out.');
    const checkpoint = await checkpointInside(workplace, run);
    const image = await presentPath(workplace, given);
    if (!(await stat(image)).isFile()) throw userError(`${given} is not a file: name one image.`);
    const classIndex = wanted === undefined ? undefined : await indexOf(checkpoint, wanted);
    return {
      run: async () => {
        const source = { kind: 'checkpoint' as const, path: checkpoint };
        const index = classIndex === undefined ? {} : { classIndex };
        const request = { type: 'explain' as const, image, source, crops, ...index, picture, engine, device };
        const { explanation } = await answerOf({ ...context, ask: withPicture(context) }, request, 'explanation');
        const shown = pathShown(workplace, image);
        return {
          image: shown,
          of: `${shown} alone, as ${run} sees it`,
          class: explanation.name,
          method: explanation.method,
          crops: explanation.crops.map(toldCrop),
          ...(picture ? { picture: `${shown} as the crops are listed, from left to right, each with its map over it: yellow where most speaks for the class, nothing where nothing does` } : {}), // prettier-ignore
        };
      },
    };
  },
});

/** Asks, and hands on the picture that is answered. */
function withPicture({ ask, onPicture }: ToolContext): ToolContext['ask'] {
  return (request, { onAnswer, ...call }) =>
    ask(request, {
      ...call,
      onAnswer: (answer) => {
        if (answer.type === 'picture') onPicture?.(answer.jpeg);
        else onAnswer?.(answer);
      },
    });
}

/** Throws a user error for a class that the checkpoint has not. */
async function indexOf(checkpoint: string, wanted: string): Promise<number> {
  const { classes } = await readCheckpointMetadata(checkpoint);
  const found = classes.find(({ folder }) => folder === wanted) ?? classes.find(({ name }) => name === wanted);
  if (found) return found.index;
  const known = someOf(classes.map(({ folder }) => folder), 20); // prettier-ignore
  throw userError(`There is no class ${wanted}: the classes are ${known}.`);
}

function toldCrop({ crop, frame, probability, map }: Explanation['crops'][number]) {
  let most = { value: 0, left: 0, top: 0 };
  map.forEach((row, y) =>
    row.forEach((value, x) => {
      if (value > most.value) most = { value, left: (x + 0.5) / row.length, top: (y + 0.5) / map.length };
    }),
  );
  const left = Math.round(frame.left + most.left * frame.width);
  const top = Math.round(frame.top + most.top * frame.height);
  return { crop, probability, ...(most.value > 0 ? { seenMost: { left, top } } : {}), map: coarse(map) };
}

/** The largest value of each of `cells` by `cells` places. */
function coarse(map: Explanation['crops'][number]['map']): number[][] {
  const range = (at: number, length: number) => {
    const from = Math.min(length - 1, Math.floor((at * length) / cells));
    return { from, to: Math.max(from + 1, Math.ceil(((at + 1) * length) / cells)) };
  };
  return Array.from({ length: cells }, (_, y) =>
    Array.from({ length: cells }, (_, x) => {
      const rows = range(y, map.length);
      const values = map.slice(rows.from, rows.to).flatMap((row) => {
        const columns = range(x, row.length);
        return row.slice(columns.from, columns.to);
      });
      return Number(Math.max(0, ...values).toFixed(2));
    }),
  );
}

import * as z from 'zod';
import { list, path, whole } from '../protocol/bounded.ts';
import { userError } from '../protocol/errors.ts';
import type { FailedPrediction, ImagePrediction } from '../protocol/prediction.ts';
import type { ServiceAnswerBody } from '../protocol/serviceProtocol.ts';
import { cropsInput, limitInput, runInput } from './inputs.ts';
import { defineTool, readsOnly } from './tool.ts';
import { checkpointInside, imagesAt, pathShown, type Workplace } from './workplace.ts';

const mostPaths = 100;

const predictionSchema = z.object({
  image: z.string(),
  classes: z.array(z.object({ folder: z.string(), name: z.string(), probability: z.number() })),
  cropsAgree: z.boolean().describe('Whether each crop has the same likeliest class.'),
});

/** What a classifier says of images. */
export const predictImages = defineTool({
  name: 'predict_images',
  title: 'Predict Images',
  description:
    'Classifies images, or the images of a folder, with a run: the likeliest classes of each image with their probabilities, by the mean of five crops or by the center crop. Of more images than limit the first ones are taken, and left says how many there are besides. Reads only. A probability is what the network says of one image, and no measure of how often it is right: test_classifier measures that.',
  input: z.strictObject({
    run: runInput,
    images: list(path(), mostPaths).min(1, 'expected at least one path').describe('Paths of images, or of folders of images, relative to the workspace.'), // prettier-ignore
    top: whole(1, 20).default(3).describe('Classes of each image that are told.'),
    crops: cropsInput.default(5),
    limit: limitInput(20),
  }),
  output: z.object({
    run: z.string(),
    of: z.string(),
    left: z.number().describe('Images that were not classified, since limit is smaller.'),
    predictions: z.array(predictionSchema),
    failed: z.array(z.object({ image: z.string(), error: z.string() })),
  }),
  effects: readsOnly,
  prepare: async ({ run, images: given, top, crops, limit }, context) => {
    const { workplace, engine, device, signal, onProgress } = context;
    const checkpoint = await checkpointInside(workplace, run);
    const found: string[] = [];
    for (const each of given) found.push(...(await imagesAt(workplace, each, signal)));
    const all = [...new Set(found)];
    if (all.length === 0) throw userError(`There is no image in ${given.join(', ')}: name images, or a folder that holds some.`); // prettier-ignore
    const images = all.slice(0, limit);
    return {
      run: async () => {
        const predictions: z.input<typeof predictionSchema>[] = [];
        const failed: FailedPrediction[] = [];
        const source = { kind: 'checkpoint' as const, path: checkpoint };
        const request = {
          type: 'predict' as const,
          ...{ images, source, crops, topK: top, thumbnail: 0, precision: 'float32' as const, engine, device },
        };
        const onAnswer = (answer: ServiceAnswerBody) => {
          if (answer.type === 'progress') onProgress(answer);
          else if (answer.type === 'failed') failed.push(answer.failed);
          else if (answer.type === 'prediction') predictions.push(toldPrediction(answer.prediction, workplace));
        };
        await context.ask(request, { signal, onAnswer });
        const seen = crops === 5 ? 'the mean of five crops' : 'the center crop';
        return {
          run,
          of: `each image by itself, by ${seen}, or the whole image if the network sees whole images`,
          left: all.length - images.length,
          predictions,
          failed: failed.map(({ image, error }) => ({ image: pathShown(workplace, image), error })),
        };
      },
    };
  },
});

function toldPrediction({ image, mean, crops }: ImagePrediction, workplace: Workplace) {
  return {
    image: pathShown(workplace, image),
    classes: mean.map(({ folder, name, probability }) => ({ folder, name, probability })),
    cropsAgree: new Set(crops.map((crop) => crop.top[0]?.index)).size <= 1,
  };
}

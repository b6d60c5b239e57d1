import * as z from 'zod';
import { list } from '../../protocol/bounded.ts';
import { failedPredictionSchema, imagePredictionSchema } from '../../protocol/prediction.ts';

const answerSchema = z.object({ images: list(z.union([imagePredictionSchema, failedPredictionSchema]), 1) });
const refusalSchema = z.object({ error: z.string() });

/** What the server says of an image. */
export type ServerAnswer = z.infer<typeof answerSchema>['images'][number];

/**
 * Asks the server that the page is from what an image shows. Throws an `Error` with a sentence if it refuses or does not
 * answer.
 */
export async function askServer(file: File, token: string): Promise<ServerAnswer> {
  const body = new FormData();
  body.append('image', file);
  const headers = token === '' ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch('/classify', { method: 'POST', body, headers }).catch(() => undefined);
  if (!response) throw new Error('The server does not answer.');
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(refusalSchema.parse(answer).error);
  const [image] = answerSchema.parse(answer).images;
  if (!image) throw new Error('The server has no answer for the image.');
  return image;
}

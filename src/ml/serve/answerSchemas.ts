import * as z from 'zod';
import { list, mostClasses, whole } from '../../protocol/bounded.ts';
import { failedPredictionSchema, imagePredictionSchema } from '../../protocol/prediction.ts';

/** What `POST /classify` may be asked. */
export const classifyQuerySchema = z.strictObject({
  top: z
    .string()
    .regex(/^\d{1,6}$/u, 'expected a whole number')
    .transform(Number)
    .pipe(whole(1, mostClasses))
    .default(5)
    .describe('Number of classes in each ranking.'),
});

/** What it answers: for each image, in the order sent, what `fivecrop predict --json` prints of it. */
export function classifyAnswerSchema(mostImages: number) {
  return z.object({ images: list(z.union([imagePredictionSchema, failedPredictionSchema]), mostImages) });
}

/** Why a request was not answered as asked, as a sentence. */
export const refusalSchema = z.object({ error: z.string() });

export const healthSchema = z.object({ status: z.enum(['ready', 'live', 'stopping']) });

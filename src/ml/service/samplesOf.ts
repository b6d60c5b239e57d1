import sharp from 'sharp';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import { mostShown, type Samples } from '../../protocol/samples.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { sampleBatch } from '../training/run/sampleBatch.ts';
import { interleaved } from '../training/run/samplesPicture.ts';

type SamplesRequest = Extract<ServiceRequestBody, { type: 'samples' }>;

/** A batch of a run's images with their pictures, without loss. Throws as `sampleBatch` does. */
export async function samplesOf(
  { config, epoch, batch }: SamplesRequest,
  { signal, answer }: RequestContext,
): Promise<Samples> {
  answer({ type: 'progress', what: 'Making the images', done: 0 });
  const notes: string[] = [];
  const sampled = await sampleBatch(config, { epoch, batch, signal, log: (sentence) => notes.push(sentence) });
  const { seed, batches, epochs, size, mix, images } = sampled;
  const shown = await Promise.all(
    images.slice(0, mostShown).map(async ({ file, pixels, mixedWith, classes }) => ({
      image: file,
      picture: await pictureOf(pixels, size),
      ...(mixedWith === undefined ? {} : { mixedWith }),
      classes: classes.map(({ label, weight }) => ({ index: label.index, name: label.name, weight })),
    })),
  );
  const counts = { seed, epoch, batch, batches, epochs, size, imageCount: images.length };
  return { ...counts, images: shown, notes: notes.slice(0, 1000), ...(mix === undefined ? {} : { mix }) };
}

/** Planes `[3, S, S]` as a PNG in a data URL. */
async function pictureOf(pixels: Uint8Array, size: number): Promise<string> {
  const raw = { width: size, height: size, channels: 3 as const };
  const png = await sharp(interleaved(pixels, size), { raw }).png({ compressionLevel: 3 }).toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

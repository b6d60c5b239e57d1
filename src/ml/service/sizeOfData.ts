import { availableParallelism } from 'node:os';
import type { DataSize, ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { decodeImage } from '../data/decodeImage.ts';
import { scanDataset, scanOptionsOf } from '../data/scanDataset.ts';

type SizeRequest = Extract<ServiceRequestBody, { type: 'size' }>;

/** Images that are decoded to know how fast that is, after a first one that only makes the decoder ready. */
const timedImages = 8;
/** Short side in pixels to which they are resized, as most networks want it. */
const side = 256;

/** How many images a folder has, and how fast all cores decode such as it has. Throws as `scanDataset` does. */
export async function sizeOfData(request: SizeRequest): Promise<DataSize> {
  const { splits } = await scanDataset(request.data, scanOptionsOf(request));
  const { train, valid } = splits;
  const every = Math.max(1, Math.floor(train.length / (timedImages + 1)));
  const chosen = train.filter((_, place) => place % every === 0).slice(0, timedImages + 1);
  const [, ...seconds] = await decodingSeconds(chosen.map(({ file }) => file));
  const all = seconds.reduce((sum, one) => sum + one, 0);
  const decodedPerSecond = all > 0 ? (seconds.length * availableParallelism()) / all : undefined;
  return {
    ...{ train: train.length, valid: valid.length },
    ...(decodedPerSecond === undefined ? {} : { decodedPerSecond }),
  };
}

/** Seconds that each image takes that can be decoded, one after the other. */
async function decodingSeconds(files: readonly string[]): Promise<number[]> {
  const seconds: number[] = [];
  for (const file of files) {
    const began = performance.now();
    try {
      await decodeImage(file, side);
      seconds.push((performance.now() - began) / 1000);
    } catch {
      // The check of the data tells of it.
    }
  }
  return seconds;
}

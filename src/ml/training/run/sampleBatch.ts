import type { ClassLabel } from '../../../protocol/checkpointMetadata.ts';
import { contradictionIn } from '../../../protocol/contradictions.ts';
import { findingText } from '../../../protocol/dataReport.ts';
import { cancelled, usageError, userError } from '../../../protocol/errors.ts';
import type { GivenConfig } from '../../../protocol/trainingConfig.ts';
import type { DecodePool } from '../../data/decodePool.ts';
import { createImageSource } from '../../data/imageSource.ts';
import { batchCount, type Batch, type Loader } from '../../data/loader.ts';
import { type Mix, mixBatch } from '../../data/mixBatch.ts';
import { scanDataset, scanOptionsOf } from '../../data/scanDataset.ts';
import { countsOf, whyUntrainable } from '../../data/whyUntrainable.ts';
import type { LocateOptions } from '../../weights/weightsPlaces.ts';
import { learningPlan } from '../loop/learningPlan.ts';
import { chooseSteps } from './chooseSteps.ts';
import { openNetwork } from './openNetwork.ts';
import { refuseNeedless } from './refuseNeedless.ts';
import { runNetwork } from './runNetwork.ts';
import { settleNetwork } from './settleNetwork.ts';
import { trainLoader, viewsOf } from './trainLoader.ts';

export interface SampleOptions {
  /** From 0 on. */
  readonly epoch: number;
  /** Position in the epoch, from 0 on. */
  readonly batch: number;
  /** Threads to decode in, which stay the caller's; without it some are started and ended. */
  readonly pool?: DecodePool;
  readonly weights?: Pick<LocateOptions, 'weightsFolder' | 'mirror'>;
  readonly signal: AbortSignal;
  /** Hears of images that do not decode. */
  readonly log: (sentence: string) => void;
}

/** An image as the training step gets it. */
export interface TrainingSample {
  /** Absolute. */
  readonly file: string;
  /** Planes `[3, S, S]`, 8 bits, R, G, B. */
  readonly pixels: Uint8Array;
  /** What is mixed into it: its neighbour in the batch. */
  readonly mixedWith?: string;
  /** The classes of its target and the share of each, which sum to 1. */
  readonly classes: readonly { readonly label: ClassLabel; readonly weight: number }[];
}

export interface SampledBatch {
  readonly seed: number;
  readonly epoch: number;
  readonly batch: number;
  /** Batches of the epoch, and epochs of the run. */
  readonly batches: number;
  readonly epochs: number;
  /** Side of the images in pixels. */
  readonly size: number;
  readonly mix?: Mix['kind'];
  readonly images: readonly TrainingSample[];
}

/**
 * The images of a batch that a run of this configuration trains on, to the bit: the same order, crops, augmentation and
 * mixing, by the same loader. Needs no weights, but the file of an ONNX network. Throws as `trainRun` does of network, data
 * and settings, and a usage error for a batch or an epoch that the run has not.
 */
export async function sampleBatch(given: GivenConfig, options: SampleOptions): Promise<SampledBatch> {
  const { signal, pool, log, epoch, batch } = options;
  refuse(given);
  const named = await settleNetwork(given, undefined, { ...options.weights, signal });
  const opened = await openNetwork(named, log);
  const dataset = await scanDataset(named.data, scanOptionsOf(named));
  const reason = whyUntrainable(countsOf(dataset));
  if (reason !== undefined) throw userError(findingText(reason));
  const { classes, splits } = dataset;
  const { config } = chooseSteps(named, opened.network, splits.train.length);
  refuse(config);
  const network = runNetwork(config, opened.network, classes.length);
  refuseNeedless(named, network, undefined);
  const batches = batchCount(splits.train.length, config.batchSize);
  if (batch >= batches) throw usageError(`There is no batch ${batch + 1}: an epoch has ${batches}.`);
  if (epoch >= config.epochs) throw usageError(`There is no epoch ${epoch + 1}: the run has ${config.epochs}.`);
  const { preprocessing } = network;
  const plan = learningPlan(config, network, batches);
  const views = viewsOf(config, opened.backbone !== undefined || network.prefix !== undefined);
  const source = createImageSource({
    ...{ cacheBytes: 0, once: true, onWarning: log },
    ...(pool ? { pool } : {}),
    onUndecodable: (file, why) => log(`${file} is left out: ${why}`),
  });
  try {
    const loader = trainLoader({ config, preprocessing, plan, views, prefetch: 1 }, splits.train, source);
    const loaded = await batchAt(loader, { epoch, batch });
    if (signal.aborted) throw cancelled();
    // Kept features are of images that nothing is mixed into.
    const mix = views === undefined ? mixBatch(loaded.images, config, { epoch, index: batch }) : undefined;
    const images = samplesOf(loaded, mix, loader, classes);
    const size = loaded.images.shape.at(-1) ?? 0;
    const { seed, epochs } = config;
    return { seed, epoch, batch, batches, epochs, size, images, ...(mix ? { mix: mix.kind } : {}) };
  } finally {
    await source.dispose();
  }
}

function refuse(config: GivenConfig): void {
  const contradiction = contradictionIn(config);
  if (contradiction !== undefined) throw usageError(contradiction);
}

async function batchAt(
  loader: Loader,
  { epoch, batch }: { readonly epoch: number; readonly batch: number },
): Promise<Batch> {
  const { value: loaded } = await loader.epoch(epoch, batch).next();
  // A batch of which no image decodes is passed over.
  if (loaded?.index === batch) return loaded;
  throw userError('No image of this batch could be decoded: look at the list of undecodable files and replace them.');
}

function samplesOf(
  { images, indices, labels }: Batch,
  mix: Mix | undefined,
  { samples }: Loader,
  classes: readonly ClassLabel[],
): TrainingSample[] {
  const size = images.data.length / Math.max(1, indices.length);
  return Array.from(indices, (index, row) => {
    const neighbour = (row + indices.length - 1) % indices.length;
    const own = { label: classes[labels[row] ?? -1], weight: mix?.own ?? 1 };
    const other = { label: classes[labels[neighbour] ?? -1], weight: 1 - own.weight };
    const mixedWith = mix && neighbour !== row ? samples[indices[neighbour] ?? -1]?.file : undefined;
    return {
      file: samples[index]?.file ?? '',
      pixels: images.data.subarray(row * size, (row + 1) * size),
      classes: own.label === other.label || other.weight === 0 ? known([{ ...own, weight: 1 }]) : known([own, other]),
      ...(mixedWith === undefined ? {} : { mixedWith }),
    };
  });
}

function known(parts: readonly { readonly label: ClassLabel | undefined; readonly weight: number }[]) {
  return parts.flatMap(({ label, weight }) => (label ? [{ label, weight }] : []));
}

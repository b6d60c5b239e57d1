import type { LabelledImage } from '../inference/evaluate.ts';
import { userError } from '../../protocol/errors.ts';
import { exportedNames } from '../../protocol/exportFormat.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { decodeImage } from '../data/decodeImage.ts';
import { evenlySpaced } from '../data/evenlySpaced.ts';
import { cropImage } from '../data/fiveCrops.ts';
import { onnxEngine } from '../engine/onnxruntime/onnxEngine.ts';
import { portableWeight } from '../engine/onnxruntime/saturation.ts';
import { normalizeImages } from '../inference/normalizeImages.ts';
import { batchOf } from '../inference/predictImages.ts';
import { planQuantization, type ValueRange, watchRanges } from '../onnx/int8/quantizationPlan.ts';
import { quantizeModel } from '../onnx/int8/quantizeModel.ts';
import type { OnnxModel } from '../onnx/onnxModel.ts';

/** Images by which the ranges of maps are found. */
const rangeImages = 64;

/**
 * A network's model with its convolutions in 8 bits, for any processor. The ranges of its maps are found by images of the
 * run's training split. Throws a user error where nothing of the network can be computed in 8 bits.
 */
export async function int8Model(
  model: OnnxModel,
  images: readonly LabelledImage[],
  preprocessing: Preprocessing,
  signal?: AbortSignal,
): Promise<OnnxModel> {
  const plan = planQuantization(model);
  if (![...plan.steps.values()].some(({ kind }) => kind === 'convolution')) {
    throw userError('Nothing of this network can be computed in 8 bits (int8): export it in float16 or float32.');
  }
  const ranges = await rangesOf(model, plan, evenlySpaced(images, rangeImages), preprocessing, signal);
  return quantizeModel(model, plan, ranges, portableWeight);
}

async function rangesOf(
  model: OnnxModel,
  plan: ReturnType<typeof planQuantization>,
  images: readonly LabelledImage[],
  { resize, interpolation, fit, crop, ...constants }: Preprocessing,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ValueRange>> {
  const watched = watchRanges(model, plan);
  const session = await onnxEngine.compileOnnx(watched.model, 'cpu');
  const ranges = new Map<string, ValueRange>();
  try {
    for (const { file } of images) {
      signal?.throwIfAborted();
      const decoded = await decodeImage(file, resize, { interpolation, fit }).catch(() => undefined);
      if (!decoded) continue;
      const [centre] = cropImage(decoded, crop, 1, fit);
      const batch = batchOf(centre ? [centre.pixels] : [], crop);
      const prepared = normalizeImages(batch, { resize, crop, ...constants });
      const results = await session.run(new Map([[exportedNames.input, prepared]]));
      for (const [value, ends] of watched.ends) {
        const end = (name: string) => Number(results.get(name)?.data[0]);
        const [low, high] = [end(ends.low), end(ends.high)];
        const known = ranges.get(value) ?? { low, high };
        ranges.set(value, { low: Math.min(known.low, low), high: Math.max(known.high, high) });
      }
    }
  } finally {
    await session.dispose();
  }
  if (ranges.size === 0) throw userError('None of the run’s training images decodes, so 8 bits (int8) find no ranges.');
  return ranges;
}

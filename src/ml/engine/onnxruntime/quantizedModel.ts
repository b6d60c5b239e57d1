import type { OnnxModel } from '../../onnx/onnxModel.ts';
import { planQuantization, type ValueRange, type WatchedModel, watchRanges } from '../../onnx/int8/quantizationPlan.ts';
import { quantizeModel } from '../../onnx/int8/quantizeModel.ts';
import type { Tensor } from '../../graph/tensor.ts';
import { calibrationImages, type Feeds, type InferenceModel } from '../engine.ts';
import { copyFeeds, joinResults, sliceFeeds } from '../feedRows.ts';
import { batchOf } from './sessionsByBatch.ts';
import { largestExactWeight } from './saturation.ts';

/**
 * How far 8 bits may move what comes out for those images: the norm of the difference in norms of the float32 output.
 * Features that move by a seventh train a head as well (MobileNetV2); what moves by half is lost.
 */
const allowedChange = 0.5;

/** Compiles a float32 model for each batch size; `edit` gets each and returns what is compiled in its place. */
export type Compile = (edit: (model: OnnxModel) => OnnxModel) => InferenceModel;

/**
 * The model in 8 bits once it has seen `calibrationImages` images, which it computes in float32 one by one. It stays with
 * float32 where nothing in it can be quantized, or where its outputs move too far; `log` hears of either. The names of its
 * values are the same for all batch sizes.
 */
export function createQuantizedModel(compile: Compile, log: (sentence: string) => void): InferenceModel {
  const float32 = compile((model) => model);
  let settled: InferenceModel | undefined;
  let calibration: Calibration | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const settle = async (done: Calibration): Promise<InferenceModel> => {
    const [ranges, limit] = [done.ranges(), await largestExactWeight()];
    const model = compile((float) => quantizeModel(float, planQuantization(float), ranges, limit));
    const change = await changeOf(model, done.examples());
    if (change <= allowedChange) {
      log(`Computed in 8 bits (int8) from here on: outputs move by ${percent(change)}.`);
      return model;
    }
    await model.dispose();
    log(`8 bits (int8) would move this network's outputs by ${percent(change)}, so it is computed in float32.`);
    return float32;
  };

  const calibrate = async (feeds: Feeds): Promise<Map<string, Tensor>> => {
    const rows = batchOf(feeds);
    const parts: Map<string, Tensor>[] = [];
    for (let row = 0; row < rows && !settled; row++) {
      calibration ??= startCalibration(compile);
      const outputs = await calibration.run(sliceFeeds(feeds, row, row + 1));
      if (calibration.ranges().size === 0) {
        log('Nothing of this network can be computed in 8 bits (int8), so it is computed in float32.');
        settled = float32;
      } else {
        parts.push(outputs);
        if (calibration.examples().length < calibrationImages) continue;
        settled = await settle(calibration);
      }
      await calibration.dispose();
      calibration = undefined;
    }
    if (settled && parts.length < rows) parts.push(await settled.run(sliceFeeds(feeds, parts.length, rows)));
    return joinResults(parts);
  };

  return {
    run: (feeds) => {
      if (settled) return settled.run(feeds);
      const result = turn.then(() => settled?.run(feeds) ?? calibrate(feeds));
      turn = result.catch(() => undefined);
      return result;
    },
    in8Bits: () => settled !== undefined && settled !== float32,
    dispose: async () => {
      await turn;
      await calibration?.dispose();
      await float32.dispose();
      if (settled !== float32) await settled?.dispose();
    },
  };
}

/** Runs in float32 that note the ranges of all maps. */
interface Calibration {
  run(feeds: Feeds): Promise<Map<string, Tensor>>;
  /** Of the maps that 8 bits would hold; none where there are none. */
  ranges(): ReadonlyMap<string, ValueRange>;
  /** All feeds with what came of them. */
  examples(): readonly (readonly [Feeds, Map<string, Tensor>])[];
  dispose(): Promise<void>;
}

function startCalibration(compile: Compile): Calibration {
  let ends: WatchedModel['ends'] = new Map();
  const session = compile((model) => {
    const watched = watchRanges(model, planQuantization(model));
    ({ ends } = watched);
    return watched.model;
  });
  const ranges = new Map<string, ValueRange>();
  const all: (readonly [Feeds, Map<string, Tensor>])[] = [];
  return {
    run: async (feeds) => {
      const results = await session.run(feeds);
      const outputs = new Map(results);
      for (const [value, names] of ends) {
        const [low, high] = [numberIn(results, names.low), numberIn(results, names.high)];
        for (const name of [names.low, names.high]) outputs.delete(name);
        const known = ranges.get(value) ?? { low, high };
        ranges.set(value, { low: Math.min(known.low, low), high: Math.max(known.high, high) });
      }
      all.push([copyFeeds(feeds), outputs]);
      return outputs;
    },
    ranges: () => ranges,
    examples: () => all,
    dispose: () => session.dispose(),
  };
}

function numberIn(results: ReadonlyMap<string, Tensor>, name: string): number {
  return Number(results.get(name)?.data[0]);
}

/** How far a model's outputs are from those given, the output that moves most: relative, NaN where numbers are lost. */
async function changeOf(model: InferenceModel, expected: ReturnType<Calibration['examples']>): Promise<number> {
  const sums = new Map<string, { difference: number; whole: number }>();
  for (const [feeds, outputs] of expected) {
    const results = await model.run(feeds);
    for (const [name, { data }] of outputs) {
      const sum = sums.get(name) ?? { difference: 0, whole: 0 };
      const found = results.get(name)?.data ?? [];
      data.forEach((value, at) => {
        sum.difference += (Number(value) - Number(found[at])) ** 2;
        sum.whole += Number(value) ** 2;
      });
      sums.set(name, sum);
    }
  }
  return Math.max(...[...sums.values()].map(({ difference, whole }) => Math.sqrt(difference / (whole || 1))));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

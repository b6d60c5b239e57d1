import { joinRows } from '../../graph/joinRows.ts';
import { decodeOnnx, encodeOnnx, type OnnxModel } from '../../graph/onnx/onnxModel.ts';
import {
  planQuantization,
  type QuantizationPlan,
  type ValueRange,
  watchRanges,
} from '../../graph/onnx/quantizationPlan.ts';
import { quantizeModel } from '../../graph/onnx/quantizeModel.ts';
import { sliceRows } from '../../graph/sliceRows.ts';
import type { Tensor } from '../../graph/tensor.ts';
import { calibrationImages, type Feeds, type InferenceModel } from '../engine.ts';
import { batchOf } from './sessionsByBatch.ts';
import { largestExactWeight } from './saturation.ts';

/**
 * How far 8 bits may move what comes out for those images: the norm of the difference in norms of the float32 output.
 * Features that move by a seventh train a head as well (MobileNetV2); what moves by half is lost.
 */
const allowedChange = 0.5;

/** A float32 model to be brought to 8 bits. */
export interface QuantizedOptions {
  /** The ONNX file for a batch size. The names of its values are the same for all. */
  readonly fileFor: (batchSize: number) => Uint8Array;
  /** Compiles such files, each when a batch of its size first comes up. */
  readonly compile: (fileFor: (batchSize: number) => Uint8Array) => InferenceModel;
  /** Hears when 8 bits are used, and why where they are not. */
  readonly log: (sentence: string) => void;
}

/**
 * The model in 8 bits once it has seen `calibrationImages` images, which it computes in float32 one by one. It stays with
 * float32 where nothing in it can be quantized, or where its outputs move too far.
 */
export function createQuantizedModel(options: QuantizedOptions): InferenceModel {
  const { fileFor, compile, log } = options;
  const float32 = compile(fileFor);
  let settled: InferenceModel | undefined;
  let calibration: Calibration | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const settle = async (done: Calibration): Promise<InferenceModel> => {
    const [ranges, limit] = [done.ranges(), await largestExactWeight()];
    const model = compile((size) => encodeOnnx(quantizeModel(...planned(decodeOnnx(fileFor(size))), ranges, limit)));
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
      calibration ??= startCalibration(options);
      if (!calibration) {
        log('Nothing of this network can be computed in 8 bits (int8), so it is computed in float32.');
        settled = float32;
        break;
      }
      parts.push(await calibration.run(rowsOf(feeds, row, row + 1)));
      if (calibration.seen() < calibrationImages) continue;
      settled = await settle(calibration);
      await calibration.dispose();
      calibration = undefined;
    }
    if (settled && parts.length < rows) parts.push(await settled.run(rowsOf(feeds, parts.length, rows)));
    return joined(parts);
  };

  return {
    run: (feeds) => {
      if (settled) return settled.run(feeds);
      const result = turn.then(() => settled?.run(feeds) ?? calibrate(feeds));
      turn = result.catch(() => undefined);
      return result;
    },
    dispose: async () => {
      await turn;
      await calibration?.dispose();
      await float32.dispose();
      if (settled !== float32) await settled?.dispose();
    },
  };
}

function planned(model: OnnxModel): [OnnxModel, QuantizationPlan] {
  return [model, planQuantization(model)];
}

/** Runs in float32 that note the ranges of all maps. */
interface Calibration {
  run(feeds: Feeds): Promise<Map<string, Tensor>>;
  seen(): number;
  ranges(): ReadonlyMap<string, ValueRange>;
  /** All feeds with what came of them. */
  examples(): readonly (readonly [Feeds, Map<string, Tensor>])[];
  dispose(): Promise<void>;
}

/** Undefined where the model has nothing to quantize. */
function startCalibration({ fileFor, compile }: QuantizedOptions): Calibration | undefined {
  const [model, plan] = planned(decodeOnnx(fileFor(1)));
  if (plan.steps.size === 0) return undefined;
  const watched = watchRanges(model, plan);
  const file = encodeOnnx(watched.model);
  const session = compile(() => file);
  const names = model.graph.output.map(({ name }) => name);
  const ranges = new Map<string, ValueRange>();
  const all: (readonly [Feeds, Map<string, Tensor>])[] = [];
  return {
    run: async (feeds) => {
      const results = await session.run(feeds);
      for (const [value, ends] of watched.ends) {
        const [low, high] = [numberIn(results, ends.low), numberIn(results, ends.high)];
        const known = ranges.get(value) ?? { low, high };
        ranges.set(value, { low: Math.min(known.low, low), high: Math.max(known.high, high) });
      }
      const outputs = new Map([...results].filter(([name]) => names.includes(name)));
      all.push([feeds, outputs]);
      return outputs;
    },
    seen: () => all.length,
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

function rowsOf(feeds: Feeds, start: number, end: number): Feeds {
  return new Map([...feeds].map(([name, tensor]) => [name, sliceRows(tensor, start, end)]));
}

function joined(parts: readonly Map<string, Tensor>[]): Map<string, Tensor> {
  const names = [...(parts[0]?.keys() ?? [])];
  return new Map(names.map((name) => [name, joinRows(parts.flatMap((part) => part.get(name) ?? []))]));
}

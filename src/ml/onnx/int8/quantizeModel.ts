import { indexModel, type ModelIndex, valuesRead } from '../modelIndex.ts';
import { type OnnxModel, type OnnxNode, type OnnxTensor, onnxDataTypes } from '../onnxModel.ts';
import type { QuantizationPlan, QuantizedStep, ValueRange } from './quantizationPlan.ts';
import { type ConvolutionWeights, quantizeWeights, weightsOfConvolution, weightsOfNorm } from './quantizedWeights.ts';

/*
 * Post-training static quantization (Jacob et al. 2018, https://arxiv.org/abs/1712.05877): maps are held in 8 bits
 * without sign, with a scale and a zero point a map, weights in 8 bits with sign, with a scale an output channel; their
 * products are summed in 32 bits. What has no such operator computes in float32.
 */

/** A map's byte stands for `scale * (byte - zero)`. */
interface Quantum {
  readonly scale: number;
  readonly zero: number;
}

/** 0 has a byte of its own, as padding needs one. */
function quantumOf({ low, high }: ValueRange): Quantum {
  const [least, most] = [Math.min(0, low), Math.max(0, high)];
  // As float32, which the operators compute with.
  const scale = Math.fround((most - least) / 255) || 1;
  return { scale, zero: Math.round(-least / scale) };
}

/** The largest magnitude of a weight in 8 bits. */
export const largestWeight = 127;

/**
 * The model with the operators of `plan` in 8 bits, for maps of the ranges given; inputs and outputs stay as they are.
 * Weights go up to `most`. Throws where a range is missing, which is a bug of the caller.
 */
export function quantizeModel(
  model: OnnxModel,
  plan: QuantizationPlan,
  ranges: ReadonlyMap<string, ValueRange>,
  most = largestWeight,
): OnnxModel {
  const index = indexModel(model.graph);
  const writer = createWriter(index, quantaOf(plan, ranges), most);
  for (const node of model.graph.node) {
    if (plan.dropped.has(node)) continue;
    const step = plan.steps.get(node);
    if (step) writer.quantized(step);
    else writer.plain(node);
  }
  for (const { name } of model.graph.output) writer.float(name);
  return {
    ...model,
    opsetImport: withMicrosoft(model.opsetImport),
    graph: { ...model.graph, ...writer.written(), valueInfo: [] },
  };
}

const microsoft = 'com.microsoft';

function withMicrosoft(opsets: OnnxModel['opsetImport']): OnnxModel['opsetImport'] {
  const known = opsets.some(({ domain }) => domain === microsoft);
  return known ? opsets : [...opsets, { domain: microsoft, version: 1 }];
}

function quantaOf({ held }: QuantizationPlan, ranges: ReadonlyMap<string, ValueRange>): Map<string, Quantum> {
  const joint = new Map<string, ValueRange>();
  for (const [value, shared] of held) {
    const range = ranges.get(value);
    if (!range) throw new Error(`no range was measured for ${value}`);
    const { low, high } = joint.get(shared) ?? range;
    joint.set(shared, { low: Math.min(low, range.low), high: Math.max(high, range.high) });
  }
  return new Map([...held].map(([value, shared]) => [value, quantumOf(joint.get(shared) ?? { low: 0, high: 0 })]));
}

/** A model in the making, in which a map is there as floats, as bytes, or as both. */
function createWriter(index: ModelIndex, quanta: ReadonlyMap<string, Quantum>, most: number) {
  const nodes: OnnxNode[] = [];
  const tensors = new Map<string, OnnxTensor>();
  const bytes = new Set<string>();
  const floats = new Set([...index.graph.input.map(({ name }) => name), ...index.constants.keys()]);
  const byteName = (value: string) => `${value}:byte`;

  const constant = (name: string, dataType: number, dims: readonly number[], data: ArrayBufferView) => {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    tensors.set(name, { name, dataType, dims: [...dims], rawData });
    return name;
  };
  const quantum = (value: string): Quantum => quanta.get(value) ?? { scale: 1, zero: 0 };
  const quantumNames = (value: string): string[] => {
    const { scale, zero } = quantum(value);
    return [
      constant(`scale_${scale}`, onnxDataTypes.float32, [], Float32Array.of(scale)),
      constant(`zero_${zero}`, onnxDataTypes.uint8, [], Uint8Array.of(zero)),
    ];
  };
  /** A map's bytes, by the name of its floats, followed by the names of what they mean. */
  const byte = (value: string): string[] => {
    const read = [byteName(value), ...quantumNames(value)];
    if (!bytes.has(value)) {
      nodes.push({ opType: 'QuantizeLinear', input: [value, ...quantumNames(value)], output: [byteName(value)] });
      bytes.add(value);
    }
    return read;
  };
  const float = (value: string): void => {
    if (floats.has(value) || !bytes.has(value)) return;
    nodes.push({ opType: 'DequantizeLinear', input: byte(value), output: [value] });
    floats.add(value);
  };
  const give = (node: Omit<OnnxNode, 'output'>, value: string) => {
    nodes.push({ name: value, ...node, output: [byteName(value)] });
    bytes.add(value);
  };

  const convolve = (
    { node, output }: QuantizedStep,
    weights: ConvolutionWeights,
    attribute: NonNullable<OnnxNode['attribute']>,
  ) => {
    const [x = ''] = node.input;
    const rows = weights.bias.length;
    const { values, scales, bias } = quantizeWeights(weights, quantum(x).scale, most);
    const input = [
      ...byte(x),
      constant(`${output}:weight`, onnxDataTypes.int8, weights.shape, values),
      constant(`${output}:weight_scale`, onnxDataTypes.float32, [rows], scales),
      constant(`${output}:weight_zero`, onnxDataTypes.int8, [rows], new Int8Array(rows)),
      ...quantumNames(output),
      constant(`${output}:bias`, onnxDataTypes.int32, [rows], bias),
    ];
    give({ ...named(node), opType: 'QLinearConv', input, attribute }, output);
  };

  const quantized = (step: QuantizedStep): void => {
    const { kind, node, output } = step;
    const { attribute = [] } = node;
    switch (kind) {
      case 'convolution':
        convolve(step, weightsOfConvolution(index, node), attribute);
        return;
      case 'norm': {
        const weights = weightsOfNorm(index, node);
        convolve(step, weights, [{ name: 'group', type: 2, i: weights.bias.length }]);
        return;
      }
      case 'add':
      case 'averagePool': {
        const opType = kind === 'add' ? 'QLinearAdd' : 'QLinearAveragePool';
        const input = [...node.input.flatMap(byte), ...quantumNames(output)];
        give({ ...named(node), opType, domain: microsoft, input, attribute }, output);
        return;
      }
      case 'same':
        give({ ...node, input: node.input.map((value) => byte(value)[0] ?? '') }, output);
    }
  };

  return {
    quantized,
    float,
    /** An operator that computes in float32. */
    plain: (node: OnnxNode): void => {
      for (const value of valuesRead(node)) float(value);
      nodes.push(node);
      for (const value of node.output) floats.add(value);
    },
    written: () => {
      const read = new Set([...nodes.flatMap(valuesRead), ...index.graph.output.map(({ name }) => name)]);
      const kept = (index.graph.initializer ?? []).filter(({ name = '' }) => read.has(name));
      return { node: nodes, initializer: [...kept, ...tensors.values()] };
    },
  };
}

function named({ name }: OnnxNode): Pick<OnnxNode, 'name'> {
  return name ? { name } : {};
}

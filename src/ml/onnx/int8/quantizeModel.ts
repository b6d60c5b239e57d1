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
  const parts = createParts(index, quantaOf(plan, ranges));
  for (const node of model.graph.node) {
    if (plan.dropped.has(node)) continue;
    const step = plan.steps.get(node);
    if (step) quantizeStep(parts, step, most);
    else parts.plain(node);
  }
  for (const { name } of model.graph.output) parts.float(name);
  return {
    ...model,
    opsetImport: withMicrosoft(model.opsetImport),
    graph: { ...model.graph, ...parts.written(), valueInfo: [] },
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
interface ModelParts {
  readonly index: ModelIndex;
  readonly quantum: (value: string) => Quantum;
  readonly constant: (name: string, dataType: number, dims: readonly number[], data: ArrayBufferView) => string;
  /** The names of what a map's bytes mean: its scale and zero point. */
  readonly quantumNames: (value: string) => string[];
  /** A map's bytes, by the name of its floats, followed by the names of what they mean. */
  readonly byte: (value: string) => string[];
  /** Makes sure that a map is there as floats. */
  readonly float: (value: string) => void;
  /** An operator that computes in float32. */
  readonly plain: (node: OnnxNode) => void;
  /** An operator that gives a map as bytes. */
  readonly give: (node: Omit<OnnxNode, 'output'>, value: string) => void;
  readonly written: () => Pick<OnnxModel['graph'], 'node' | 'initializer'>;
}

function createParts(index: ModelIndex, quanta: ReadonlyMap<string, Quantum>): ModelParts {
  const nodes: OnnxNode[] = [];
  const tensors = new Map<string, OnnxTensor>();
  const bytes = new Set<string>();
  const floats = new Set([...index.graph.input.map(({ name }) => name), ...index.constants.keys()]);
  const byteName = (value: string) => `${value}:byte`;
  const parts: ModelParts = {
    index,
    quantum: (value) => quanta.get(value) ?? { scale: 1, zero: 0 },
    constant: (name, dataType, dims, data) => {
      const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      tensors.set(name, { name, dataType, dims: [...dims], rawData });
      return name;
    },
    quantumNames: (value) => {
      const { scale, zero } = parts.quantum(value);
      return [
        parts.constant(`scale_${scale}`, onnxDataTypes.float32, [], Float32Array.of(scale)),
        parts.constant(`zero_${zero}`, onnxDataTypes.uint8, [], Uint8Array.of(zero)),
      ];
    },
    byte: (value) => {
      const meaning = parts.quantumNames(value);
      if (!bytes.has(value)) {
        nodes.push({ opType: 'QuantizeLinear', input: [value, ...meaning], output: [byteName(value)] });
        bytes.add(value);
      }
      return [byteName(value), ...meaning];
    },
    float: (value) => {
      if (floats.has(value) || !bytes.has(value)) return;
      nodes.push({ opType: 'DequantizeLinear', input: parts.byte(value), output: [value] });
      floats.add(value);
    },
    plain: (node) => {
      for (const value of valuesRead(node)) parts.float(value);
      nodes.push(node);
      for (const value of node.output) floats.add(value);
    },
    give: (node, value) => {
      nodes.push({ name: value, ...node, output: [byteName(value)] });
      bytes.add(value);
    },
    written: () => {
      const read = new Set([...nodes.flatMap(valuesRead), ...index.graph.output.map(({ name }) => name)]);
      const kept = (index.graph.initializer ?? []).filter(({ name = '' }) => read.has(name));
      return { node: nodes, initializer: [...kept, ...tensors.values()] };
    },
  };
  return parts;
}

/** Appends an operator in 8 bits. */
function quantizeStep(parts: ModelParts, step: QuantizedStep, most: number): void {
  const { index, byte, quantumNames, give } = parts;
  const { kind, node, output } = step;
  const { attribute = [] } = node;
  switch (kind) {
    case 'convolution':
      convolve(parts, step, { weights: weightsOfConvolution(index, node), attribute, most });
      return;
    case 'norm': {
      const weights = weightsOfNorm(index, node);
      convolve(parts, step, { weights, attribute: [{ name: 'group', type: 2, i: weights.bias.length }], most });
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
}

interface Convolution {
  readonly weights: ConvolutionWeights;
  readonly attribute: NonNullable<OnnxNode['attribute']>;
  /** The largest magnitude of a weight. */
  readonly most: number;
}

function convolve(parts: ModelParts, { node, output }: QuantizedStep, { weights, attribute, most }: Convolution): void {
  const { byte, constant, quantum, quantumNames, give } = parts;
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
}

function named({ name }: OnnxNode): Pick<OnnxNode, 'name'> {
  return name ? { name } : {};
}

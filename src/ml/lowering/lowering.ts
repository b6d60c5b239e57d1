import type { Graph, Node, TensorType } from '../graph/graph.ts';
import { typeOf } from '../graph/graph.ts';
import { onnxDataTypes, type OnnxAttribute, type OnnxNode, type OnnxTensor } from '../onnx/onnxModel.ts';
import type { Layouts } from './blocked/layouts.ts';
import type { WebgpuLimits } from './webgpu/webgpuLimits.ts';

/** An attribute's value: whole numbers unless wrapped by `float`. */
export type AttributeValue =
  number | string | readonly number[] | { readonly float: number } | { readonly floats: readonly number[] };

/** Marks an attribute as a float, which JavaScript's numbers do not tell from whole ones. */
export function float(value: number): { readonly float: number } {
  return { float: value };
}

/** Marks an attribute as a list of floats. */
export function floatList(values: readonly number[]): { readonly floats: readonly number[] } {
  return { floats: values };
}

/** Mean and mean square of an image's channels, `[C]`. */
export interface Moments {
  readonly mean: string;
  readonly meanSquare: string;
}

/** What goes into a pass over an image: per channel `scale * image + shift`, cut off below zero or not. */
export interface NormalizedImage {
  readonly image: string;
  readonly scale: string;
  readonly shift: string;
  readonly rectified: boolean;
}

/** What a gradient still lacks: these channels of an image, each times its own factor. */
export interface Multiple {
  readonly image: string;
  readonly channels: readonly [start: number, end: number];
  /** `[end - start]` */
  readonly scale: string;
}

/** An ONNX graph in the making: what the lowering of each operator appends to. */
export interface Lowering {
  readonly graph: Graph;
  /** The node of the graph that computes a value, by the value's name. */
  readonly producers: ReadonlyMap<string, Node>;
  readonly nodes: OnnxNode[];
  /** What the model may take where it is for WebGPU, see webgpu/webgpuLimits.ts. */
  readonly webgpu: WebgpuLimits | undefined;
  /** What the nodes that follow are named after; see `placeName`. */
  place: string;
  /** The layer of the node that is being lowered. */
  layer: string;
  readonly initializers: OnnxTensor[];
  /** Channels a block where images are held blocked (see blockedLayout.ts), else 0. */
  readonly block: number;
  /** What computes on blocked images, and which are held so; nothing where `block` is 0. */
  readonly layouts: Layouts;
  /** Parameters that the model holds in the order of blocks (blocked/blockedWeights.ts). */
  readonly kernels: ReadonlySet<string>;
  /** Parameters and buffers that are part of the model; it is fed all others. */
  readonly constants: ReadonlySet<string>;
  /** Images in the layout that they are not held in, by their name. */
  readonly reordered: Map<string, string>;
  /** Statistics of images that were computed, by the image's name. */
  readonly moments: Map<string, Moments>;
  /** Blocked images that may be written over another of their size, which is read no more, by their name. */
  readonly overwrites: Map<string, string>;
  /** Blocked images that the backward pass computes again (see recompute.ts), by their name. */
  readonly normalized: Map<string, NormalizedImage>;
  /** Factors per channel that blocked images are yet to be multiplied by, by the image's name (see deferredScale.ts). */
  readonly factors: Map<string, string>;
  /** What blocked gradients still lack, by their name (see deferredMultiples.ts). */
  readonly lacking: Map<string, Multiple>;
  /** Images that were joined along channels, with their parts. */
  readonly joins: Map<string, readonly string[]>;
  /** Values that a ReLU made. */
  readonly rectified: Set<string>;
  /** Gradients that a ReLU's mask needs not be applied to any more, with the ReLU's result. */
  readonly masked: Map<string, string>;
  /** Nodes that are lowered together when all others are; see `postpone`. */
  readonly postponed: Map<LowerTogether, PlacedNode[]>;
  /** Other names under which values are read. */
  readonly alias: Map<string, string>;
  /** Those that only the node that is being lowered reads so, with the names that they had before. */
  readonly readAs: Map<string, string | undefined>;
  /**
   * Appends a node and returns the name of its output, which is `output` where given. Among the attributes, `domain`
   * names the operator set of an operator that is not the standard's.
   */
  readonly emit: (
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
    output?: string,
  ) => string;
  /** Appends a node of several outputs, whose names are given. */
  readonly emitMany: (
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputs: readonly string[],
  ) => void;
  /** A constant tensor of whole numbers (int64): shapes, axes, pads. */
  readonly integers: (values: readonly number[]) => string;
  /** A constant of many whole numbers (int32), such as the places that a gather reads; made once for each name. */
  readonly indices: (name: string, count: number, values: () => Iterable<number>) => string;
  /** ONNX's number for the type of all floats, which are float64 where the graph is computed in double precision. */
  readonly floatType: number;
  /** A constant tensor of floats; a scalar where no shape is given. */
  readonly floats: (values: readonly number[], shape?: readonly number[]) => string;
  readonly typeOf: (value: string) => TensorType;
}

/** A node, and the layer of the network that it belongs to. */
export interface PlacedNode<Attributes = unknown> {
  readonly node: Node<Attributes>;
  readonly layer: string;
}

/** Appends the operators that compute many nodes at once. */
export interface LowerTogether<Attributes = unknown> {
  together(lowering: Lowering, nodes: readonly PlacedNode<Attributes>[]): void;
}

/** Leaves a node to `by`, which is called once all other nodes are lowered. */
export function postpone<Attributes>(
  lowering: Lowering,
  by: LowerTogether<Attributes>,
  node: Node<NoInfer<Attributes>>,
): void {
  const known = lowering.postponed.get(by);
  const placed = { node, layer: lowering.layer };
  if (known) known.push(placed);
  else lowering.postponed.set(by, [placed]);
}

function attribute(name: string, value: AttributeValue): OnnxAttribute {
  if (typeof value === 'number') return { name, type: 2, i: value };
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: 1, f: value.float };
  if ('floats' in value) return { name, type: 6, floats: [...value.floats] };
  return { name, type: 7, ints: [...value] };
}

/** What the floats of a graph are computed in. The tensors that it takes its names from are float32 in both. */
export type FloatPrecision = 'float32' | 'float64';

export interface LoweringOptions {
  readonly block?: number;
  readonly layouts?: Layouts;
  readonly kernels?: ReadonlySet<string>;
  readonly constants?: ReadonlySet<string>;
  readonly precision?: FloatPrecision;
  readonly webgpu?: WebgpuLimits | undefined;
}

export function createLowering(graph: Graph, options: LoweringOptions = {}): Lowering {
  const {
    block = 0,
    layouts = { nodes: new Set(), images: new Set(), kernels: new Set() },
    kernels = new Set<string>(),
    constants = new Set<string>(),
    precision = 'float32',
    webgpu,
  } = options;
  const alias = new Map<string, string>();
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  let serial = 0;

  const emitMany: Lowering['emitMany'] = (opType, inputs, attributes, outputs) => {
    const { domain, ...rest } = attributes;
    nodes.push({
      opType,
      name: `${lowering.place}:${outputs[0] ?? ''}`,
      input: inputs.map((value) => alias.get(value) ?? value),
      output: [...outputs],
      attribute: Object.entries(rest).map(([name, value]) => attribute(name, value)),
      ...(typeof domain === 'string' && { domain }),
    });
  };

  const lowering: Lowering = {
    graph,
    producers: new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const))),
    nodes,
    place: '',
    layer: '',
    webgpu,
    initializers,
    block,
    layouts,
    kernels,
    constants,
    reordered: new Map(),
    moments: new Map(),
    overwrites: new Map(),
    normalized: new Map(),
    factors: new Map(),
    lacking: new Map(),
    joins: new Map(),
    rectified: new Set(),
    masked: new Map(),
    postponed: new Map(),
    alias,
    readAs: new Map(),
    typeOf: (value) => typeOf(graph, value),
    ...constantsIn(initializers, precision),
    emit(opType, inputs, attributes = {}, output = `${opType}_${String(serial++)}`) {
      emitMany(opType, inputs, attributes, [output]);
      return output;
    },
    emitMany,
  };
  return lowering;
}

/** Makes constants, each once, and appends them to the model's tensors. */
function constantsIn(
  initializers: OnnxTensor[],
  precision: FloatPrecision,
): Pick<Lowering, 'integers' | 'indices' | 'floatType' | 'floats'> {
  const names = new Map<string, string>();
  const add = (key: string, dataType: number, dims: readonly number[], bytes: Uint8Array) => {
    const name = `constant_${String(names.size)}`;
    names.set(key, name);
    initializers.push({ name, dataType, dims: [...dims], rawData: bytes });
    return name;
  };
  const constant = (dataType: number, dims: readonly number[], bytes: Uint8Array) => {
    const key = `${String(dataType)}:${dims.join()}:${Buffer.from(bytes).toString('base64')}`;
    return names.get(key) ?? add(key, dataType, dims, bytes);
  };
  return {
    integers: (values) =>
      constant(onnxDataTypes.int64, [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer)),
    indices: (name, count, values) => {
      const key = `indices ${name}`;
      const known = names.get(key);
      if (known !== undefined) return known;
      const data = new Int32Array(count);
      let at = 0;
      for (const value of values()) data[at++] = value;
      return add(key, onnxDataTypes.int32, [count], new Uint8Array(data.buffer));
    },
    floatType: onnxDataTypes[precision],
    floats: (values, shape = []) => {
      const { buffer } = precision === 'float64' ? Float64Array.from(values) : Float32Array.from(values);
      return constant(onnxDataTypes[precision], shape, new Uint8Array(buffer));
    },
  };
}

/**
 * A shape that is computed only when all `values` are there, in their order. Without it ONNX Runtime, which begins with
 * those inputs of an operator that were appended last, computes some things long before they are needed.
 */
export function shapeAfter({ emit, integers }: Lowering, shape: readonly number[], values: readonly string[]): string {
  // The sizes are appended before their sum, and so computed one by one as the sum comes to them.
  const size = values.map((value) => emit('Size', [value])).reduce((sum, each) => emit('Add', [sum, each]));
  return emit('Max', [integers(shape), emit('Neg', [size])]);
}

/** Removes the nodes that none of `outputs` needs; an operator's lowering computes all that it could give. */
export function pruneNodes(nodes: readonly OnnxNode[], outputs: Iterable<string>): OnnxNode[] {
  const needed = new Set(outputs);
  const kept: OnnxNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.output.some((value) => needed.has(value))) continue;
    kept.push(node);
    for (const value of node.input) needed.add(value);
  }
  return kept.reverse();
}

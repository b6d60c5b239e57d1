import { typeOf, type Graph } from '../graph.ts';
import { nodePlaces, placeName } from '../nodePlaces.ts';
import type { StateDict, Tensor } from '../tensor.ts';
import { blockedDomain, imagesOf } from './blockedLayout.ts';
import { createLowering, pruneNodes } from './lowering.ts';
import { lowerNode } from './lowerNode.ts';
import { encodeOnnx, onnxDataTypes, type OnnxTensor, type OnnxValueInfo } from './onnxModel.ts';

export interface WriteOptions {
  /** Tensors that become constants of the model; parameters and buffers that are not in it become inputs. */
  readonly constants: StateDict;
  /** Outputs beside the graph's own, such as the values of its updates. */
  readonly outputs?: readonly string[];
  /** Leaves the first dimension of inputs and outputs open, for a model that others will run. */
  readonly openBatch?: boolean;
  /** Other names for inputs and outputs. */
  readonly rename?: ReadonlyMap<string, string>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Composes what a device of few operators lacks (WebGPU has no log-softmax) from what it has. */
  readonly composed?: boolean;
  /** Channels a block of the CPU's fast layout, for graphs that suit it (`suitsBlocks`); the plain layout without it. */
  readonly block?: number;
}

/** ONNX opset that our lowering is written against. */
export const onnxOpset = 17;

/**
 * The bytes of an ONNX model (opset 17) that computes the graph.
 * Throws where the graph's form has no static counterpart, which is a bug of the caller.
 */
export function writeOnnx(graph: Graph, options: WriteOptions): Uint8Array {
  const { constants, outputs: extra = [], openBatch = false, block = 0, rename = new Map<string, string>() } = options;
  const lowering = createLowering(graph, block, block > 0 ? imagesOf(graph) : undefined);
  lowering.composed = options.composed === true;
  const places = nodePlaces(graph);
  graph.nodes.forEach((node, index) => {
    const place = places[index];
    if (place) lowering.place = placeName(node, place);
    lowerNode(lowering, node);
  });
  const outputs = [...graph.outputs, ...extra];
  const nodes = pruneNodes(lowering.nodes, outputs);
  const used = new Set(nodes.flatMap((node) => node.input));
  const named = (name: string) => rename.get(name) ?? name;
  for (const node of nodes) {
    node.input = node.input.map(named);
    node.output = node.output.map(named);
  }
  const tensors = [...graph.parameters, ...graph.buffers];
  const describe = (name: string): OnnxValueInfo => {
    const { dtype, shape } = typeOf(graph, name);
    const open = openBatch && !tensors.includes(name);
    const dim = shape.map((dimValue, axis) => (axis === 0 && open ? { dimParam: 'N' } : { dimValue }));
    return { name: named(name), type: { tensorType: { elemType: onnxDataTypes[dtype], shape: { dim } } } };
  };
  const isInput = (name: string) => used.has(name) && !constants.has(name);
  const initializers = [...constants]
    .filter(([name]) => used.has(name))
    .map(([name, tensor]) => constant(name, tensor));
  return encodeOnnx({
    irVersion: 8,
    producerName: 'fivecrop',
    opsetImport: [
      { domain: '', version: onnxOpset },
      { domain: 'com.microsoft', version: 1 },
      ...(lowering.block > 0 ? [{ domain: blockedDomain, version: 1 }] : []),
    ],
    graph: {
      name: 'fivecrop',
      node: nodes,
      initializer: [...lowering.initializers.filter((tensor) => used.has(tensor.name ?? '')), ...initializers],
      input: [...graph.inputs, ...tensors].filter(isInput).map(describe),
      output: outputs.map(describe),
    },
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
  });
}

function constant(name: string, { dtype, shape, data }: Tensor): OnnxTensor {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dataType: onnxDataTypes[dtype], dims: [...shape], rawData };
}

import { typeOf, type Graph, type Node } from '../graph/graph.ts';
import { nodePlaces, placeName } from '../graph/nodePlaces.ts';
import { elementCount, type StateDict, type Tensor } from '../graph/tensor.ts';
import { assignLayouts, type AssignLayouts } from './blocked/assignLayouts.ts';
import { blockedDomain, forgetReadAs, heldFromPlain, readPlain } from './blocked/blockedLayout.ts';
import { settleMultiples } from './blocked/deferredMultiples.ts';
import { fuseBlocked } from './blocked/fuseBlocked.ts';
import { toBlockedOrder } from './blocked/blockedWeights.ts';
import { createLowering, pruneNodes, type Lowering, type FloatPrecision } from './lowering.ts';
import { openShapes } from './openBatch.ts';
import { loweredOperator, type LoweredOperator } from './loweredOperator.ts';
import { hideShapes, sizesInPlace } from './hiddenShapes.ts';
import { onnxDataTypes, type OnnxModel, type OnnxTensor, type OnnxValueInfo } from '../onnx/onnxModel.ts';
import type { WebgpuLimits } from './webgpu/webgpuLimits.ts';

export interface WriteOptions {
  /** Tensors that become constants of the model; parameters and buffers that are not in it become inputs. */
  readonly constants: StateDict;
  /** Outputs beside the graph's own, such as the values of its updates. */
  readonly outputs?: readonly string[];
  /** Leaves the first dimension of inputs and outputs open, for a model that others will run; the graph is that of one image. */
  readonly openBatch?: boolean;
  /** Other names for inputs and outputs. */
  readonly rename?: ReadonlyMap<string, string>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Writes the forms that suit a graphics card behind WebGPU, see `webgpu` of an operator (operator.ts). */
  readonly webgpu?: WebgpuLimits | undefined;
  /**
   * Channels a block of the CPU's fast layout, in which what gains by it computes (blocked/assignLayouts.ts); the plain
   * layout alone without it.
   */
  readonly block?: number;
  /**
   * Leaves the shapes of values unsaid, so that a step's memory is free for others as soon as nothing reads it (hiddenShapes.ts).
   * Models in blocks always do.
   */
  readonly hidesShapes?: boolean;
  /** Chooses what that is: `assignLayouts` by default. */
  readonly assign?: AssignLayouts | undefined;
  /** Weights of convolutions that go into the model, and come out of it, in the order of blocks (blocked/blockedWeights.ts). */
  readonly blockedKernels?: ReadonlySet<string>;
  /** `float64` computes in double precision on the CPU, slowly; all float32 tensors of the model are then float64. */
  readonly precision?: FloatPrecision;
}

/** ONNX opset that our lowering is written against. */
export const onnxOpset = 17;

/**
 * An ONNX model (opset 17) that computes the graph. What an optimizer updates goes in and comes out with
 * one dimension (`rowsOf`).
 * Throws where the graph's form has no static counterpart, which is a bug of the caller.
 */
export function writeOnnx(graph: Graph, options: WriteOptions): OnnxModel {
  const { constants, outputs: extra = [], openBatch = false, block = 0, rename = new Map<string, string>() } = options;
  const { precision = 'float32', blockedKernels: held = new Set<string>(), assign = assignLayouts } = options;
  const lowering = createLowering(graph, {
    block,
    ...(block > 0 && { layouts: assign(graph, block) }),
    kernels: held,
    constants: new Set(constants.keys()),
    precision,
    webgpu: options.webgpu,
  });
  const flat = rowsOf(graph);
  lowerNodes(lowering, graph, flat);
  if (openBatch) openShapes(lowering, graph.inputs[0] ?? '');
  const outputs = [...graph.outputs, ...extra];
  const hides = options.hidesShapes ?? block > 0;
  const all = hides ? hideShapes(lowering, graph.inputs[0] ?? '') : lowering.nodes;
  const needed = pruneNodes(all, outputs);
  const nodes = block > 0 ? fuseBlocked(needed, outputs, lowering) : needed;
  const used = new Set(nodes.flatMap((node) => node.input));
  const named = (name: string) => rename.get(name) ?? name;
  for (const node of nodes) {
    node.input = node.input.map(named);
    node.output = node.output.map(named);
  }
  const rows = new Set([...flat, ...[...flat].map((name) => graph.updates.get(name) ?? '')]);
  const tensors = [...graph.parameters, ...graph.buffers];
  const describe = (name: string): OnnxValueInfo => {
    const { dtype, shape: whole } = typeOf(graph, name);
    const shape = rows.has(name) ? [elementCount(whole)] : whole;
    const open = openBatch && !tensors.includes(name);
    const dim = shape.map((dimValue, axis) => {
      return open && axis === 0 ? { dimParam: 'N' } : { dimValue };
    });
    const elemType = onnxDataTypes[dtype === 'float32' ? precision : dtype];
    // A buffer of known shape is kept until a later value of that shape takes it, a map's of the forward pass for a
    // gradient's. Where shapes are left unsaid, ONNX Runtime frees each as soon as nothing reads it.
    const unsaid = hides && graph.inputs.includes(name);
    return { name: named(name), type: { tensorType: { elemType, ...(!unsaid && { shape: { dim } }) } } };
  };
  const isInput = (name: string) => used.has(name) && !constants.has(name);
  const initializers = [...constants]
    .filter(([name]) => used.has(name))
    .map(([name, tensor]) => constant(name, held.has(name) ? toBlockedOrder(tensor, block) : tensor, precision));
  return {
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
      ...(block > 0 && { valueInfo: sizesInPlace(nodes, lowering.overwrites) }),
    },
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
  };
}

/** Appends the ONNX operators that compute the graph, in which `flat` names what comes in with one dimension. */
function lowerNodes(lowering: Lowering, graph: Graph, flat: ReadonlySet<string>): void {
  for (const name of flat)
    lowering.alias.set(name, lowering.emit('Reshape', [name, lowering.integers(typeOf(graph, name).shape)]));
  const places = nodePlaces(graph);
  graph.nodes.forEach((node, index) => {
    const place = places[index];
    if (place) {
      lowering.place = placeName(node.operator.name, place);
      lowering.layer = place.layer;
    }
    lowerNode(lowering, node);
  });
  for (const name of flat) lowering.alias.delete(name);
  // The optimizer's updates, the last to come, go first.
  for (const [by, nodes] of [...lowering.postponed].reverse()) by.together(lowering, nodes);
}

/** Appends the ONNX operators that compute one node of the graph. */
function lowerNode(lowering: Lowering, node: Node): void {
  const operator = loweredOperator(node);
  if (lowering.block > 0) lowerInLayout(lowering, node, operator);
  else if (lowering.floatType === onnxDataTypes.float64 && operator.double) operator.double(lowering, node);
  else if (!lowering.webgpu || !operator.webgpu?.(lowering, node)) operator.onnx(lowering, node);
}

/** The same in a model of which a part computes on blocks. */
function lowerInLayout(lowering: Lowering, node: Node, operator: LoweredOperator): void {
  settleMultiples(lowering, node);
  if (lowering.layouts.nodes.has(node)) {
    if (!operator.blocked?.(lowering, node)) operator.onnx(lowering, node);
  } else {
    readPlain(lowering, node);
    const [output = ''] = node.outputs;
    if (makesHeldGradient(lowering, node)) {
      const ordered = `${output} in torch's order`;
      operator.onnx(lowering, { ...node, outputs: [ordered] });
      heldFromPlain(lowering, ordered, lowering.typeOf(output).shape, output);
    } else operator.onnx(lowering, node);
  }
  forgetReadAs(lowering);
}

/** Whether a node outside of the blocks makes the gradient of a kernel that the model holds in blocks. */
function makesHeldGradient(lowering: Lowering, { gradientOf, outputs: [output = ''] }: Node): boolean {
  if (gradientOf === undefined || lowering.typeOf(output).axes !== 'kernel') return false;
  return lowering.producers.get(gradientOf)?.inputs.some((value) => lowering.kernels.has(value)) ?? false;
}

/**
 * Names of the parameters and moments that a graph's optimizer updates. They go in and come out of its model with one
 * dimension: ONNX Runtime takes a tensor whose last dimensions are 1, as a 1x1 convolution's weights, value by value
 * where a scalar meets it, 20 times as slowly as a row.
 */
export function rowsOf(graph: Graph): Set<string> {
  return new Set(graph.nodes.flatMap((node) => loweredOperator(node).rows?.(node) ?? []));
}

function constant(name: string, tensor: Tensor, precision: FloatPrecision): OnnxTensor {
  const { shape } = tensor;
  const widened = tensor.dtype === 'float32' && precision === 'float64';
  const data = widened ? Float64Array.from(tensor.data) : tensor.data;
  const dataType = onnxDataTypes[widened ? precision : tensor.dtype];
  return { name, dataType, dims: [...shape], rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

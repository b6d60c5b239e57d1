import { imageShape } from '../graph/builder.ts';
import type { Convolution } from '../graph/geometry.ts';
import { floats, isNode, typeOf, type Graph, type Node } from '../graph/graph.ts';
import { elementCount, float32Tensor, type StateDict } from '../graph/tensor.ts';
import { conv2dOperator } from '../operators/convolution/conv2d.ts';
import { linearOperator } from '../operators/matmul/linear.ts';
import { flattenOperator, reshapeOperator } from '../operators/movement/reshape.ts';
import { none } from '../operators/operator.ts';
import { type ConstantGraph, floatsOf, withUsedConstants } from './constantGraph.ts';

/** What a convolution has more of where a product is faster. */
export interface Bounds {
  /** For few images, the weights of a product take longer to read than it saves. */
  readonly images: number;
  /** A small kernel stays in a core's own cache from image to image; DenseNet-121's became slower as products. */
  readonly weights: number;
}

const measured: Bounds = { images: 15, weights: 2 ** 17 };

/**
 * The same inference graph, in which a convolution is a product with the whole map where each of its outputs sees all of
 * the map: a 3x3 kernel on up to 2x2 pixels, a 1x1 kernel on one. Networks end in such maps where images are small, and a
 * convolution reads its weights anew for each image there. Small kernels stay, and all if there are few images.
 */
export function wholeMapsAsProducts(graph: Graph, constants: StateDict, bounds = measured): ConstantGraph {
  const types = new Map(graph.types);
  const tensors = new Map(constants);
  const buffers = [...graph.buffers];
  const define = (name: string, shape: readonly number[], data: Float32Array) => {
    tensors.set(name, float32Tensor(shape, data));
    types.set(name, floats(shape));
    buffers.push(name);
    return name;
  };
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const taps = isNode(node, conv2dOperator) ? tapsOnWholeMap(graph, node, bounds) : undefined;
    if (!taps) return [node];
    const [image = '', kernel = '', bias] = node.inputs;
    const [output = ''] = node.outputs;
    const [images, channels] = imageShape(graph, output);
    const places = taps.length;
    const weights = productWeights(floatsOf(constants, kernel), imageShape(graph, kernel), taps);
    const sizes = [channels * places, weights.length / (channels * places)] as const;
    const [rows, product] = [`${output}.rows`, `${output}.product`];
    types.set(rows, floats([images, sizes[1]]));
    types.set(product, floats([images, sizes[0]]));
    const inputs = [rows, define(`${output}.weights`, sizes, weights)];
    if (bias !== undefined) {
      const values = floatsOf(constants, bias);
      const repeated = Float32Array.from({ length: sizes[0] }, (_, at) => values[Math.floor(at / places)] ?? 0);
      inputs.push(define(`${output}.bias`, [sizes[0]], repeated));
    }
    return [
      { operator: flattenOperator, attributes: none, inputs: [image], outputs: [rows] },
      { operator: linearOperator, attributes: none, inputs, outputs: [product] },
      { operator: reshapeOperator, attributes: typeOf(graph, output), inputs: [product], outputs: [output] },
    ];
  });
  return withUsedConstants({ ...graph, nodes, types, buffers }, tensors);
}

/** The tap of the kernel that each output has on each pixel of the map, `[outputs][pixels]`, if all have one on all. */
function tapsOnWholeMap(
  graph: Graph,
  { inputs, outputs, attributes }: Node<Convolution>,
  bounds: Bounds,
): number[][] | undefined {
  const [image, kernel, map] = [inputs[0], inputs[1], outputs[0]].map((name) => imageShape(graph, name ?? ''));
  if (!image || !kernel || !map || attributes.groups !== 1) return undefined;
  if (image[0] <= bounds.images || elementCount(kernel) <= bounds.weights) return undefined;
  const down = tapsAlong(attributes, 0, image[2], kernel[2], map[2]);
  const across = tapsAlong(attributes, 1, image[3], kernel[3], map[3]);
  return down && across && down.flatMap((rows) => across.map((columns) => rows.flatMap((row) => columns.map((column) => row * kernel[3] + column)))); // prettier-ignore
}

/** The same along one axis. */
function tapsAlong(
  geometry: Convolution,
  axis: 0 | 1,
  pixels: number,
  taps: number,
  outputs: number,
): number[][] | undefined {
  const { stride, padding, dilation } = geometry;
  const found: number[][] = [];
  for (let output = 0; output < outputs; output++) {
    const row: number[] = [];
    for (let pixel = 0; pixel < pixels; pixel++) {
      const tap = (pixel + padding[axis] - output * stride[axis]) / dilation[axis];
      if (!Number.isInteger(tap) || tap < 0 || tap >= taps) return undefined;
      row.push(tap);
    }
    found.push(row);
  }
  return found;
}

/** Weights `[outputs * places, channels * pixels]` of the product, from a kernel `[outputs, channels, kH, kW]`. */
function productWeights(
  kernel: Float32Array,
  [outputs, channels, height, width]: readonly [number, number, number, number],
  taps: readonly (readonly number[])[],
): Float32Array {
  const pixels = taps[0]?.length ?? 0;
  const weights = new Float32Array(outputs * taps.length * channels * pixels);
  let at = 0;
  for (let output = 0; output < outputs; output++) {
    for (const row of taps) {
      for (let channel = 0; channel < channels; channel++) {
        const first = (output * channels + channel) * height * width;
        for (const tap of row) weights[at++] = kernel[first + tap] ?? 0;
      }
    }
  }
  return weights;
}

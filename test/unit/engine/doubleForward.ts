import { pooledSize } from '../../../src/ml/graph/builder.ts';
import { typeOf, type Convolution, type Graph, type Node, type Pooling } from '../../../src/ml/graph/graph.ts';
import { elementCount } from '../../../src/ml/graph/tensor.ts';

/** Values of a graph by name, float64, in torch's layouts. */
export type Doubles = Map<string, Float64Array>;

type Sizes = readonly [number, number, number, number];

function sizesOf(graph: Graph, name: string): Sizes {
  const [n = 1, c = 1, h = 1, w = 1] = typeOf(graph, name).shape;
  return [n, c, h, w];
}

/** Fills a `[N, C, H, W]` value element by element. */
function fillImage([n, c, h, w]: Sizes, value: (n: number, c: number, y: number, x: number) => number): Float64Array {
  const data = new Float64Array(n * c * h * w);
  for (let i = 0; i < data.length; i++) {
    data[i] = value(Math.floor(i / (c * h * w)), Math.floor(i / (h * w)) % c, Math.floor(i / w) % h, i % w);
  }
  return data;
}

/** Reads a `[N, C, H, W]` value, `outside` beyond its borders. */
function reader(data: Float64Array, [, c, h, w]: Sizes, outside: number) {
  return (n: number, channel: number, y: number, x: number) =>
    y < 0 || y >= h || x < 0 || x >= w ? outside : (data[((n * c + channel) * h + y) * w + x] ?? NaN);
}

/**
 * Runs a forward graph in float64, each operator written straight from its definition (torch's documentation), slowly:
 * the yardstick for engines in tests. `values` holds inputs, parameters and buffers, and in the end everything.
 */
export function runDouble(graph: Graph, values: Doubles): Doubles {
  for (const node of graph.nodes) {
    const results = computeNode(graph, node, (index) => values.get(node.inputs[index] ?? '') ?? new Float64Array());
    node.outputs.forEach((name, index) => values.set(name, results[index] ?? new Float64Array()));
  }
  return values;
}

function computeNode(graph: Graph, node: Node, input: (index: number) => Float64Array): readonly Float64Array[] {
  const [first = '', second = ''] = node.inputs;
  const [output = ''] = node.outputs;
  const from = sizesOf(graph, first);
  const to = sizesOf(graph, output);
  const at = (data: Float64Array, index: number) => data[index] ?? NaN;
  const x = input(0);
  switch (node.op) {
    case 'conv2d':
      return [convolve(node, x, from, input(1), sizesOf(graph, second), node.inputs[2] ? input(2) : undefined, to)];
    case 'batchNormInference':
      return [
        perChannel(
          x,
          from,
          (v, c) =>
            ((v - at(input(3), c)) / Math.sqrt(at(input(4), c) + node.epsilon)) * at(input(1), c) + at(input(2), c),
        ),
      ];
    case 'batchNormTraining':
      return normaliseByBatch(x, from, input(1), input(2), node.epsilon);
    case 'relu':
      return [x.map((value) => Math.max(0, value))];
    case 'maxPool':
      return [pool(node, x, from, to, -Infinity, (window) => Math.max(...window))];
    case 'averagePool':
      return [pool(node, x, from, to, 0, (window) => window.reduce((sum, v) => sum + v, 0) / window.length)];
    case 'globalAveragePool':
      return [channelRows(x, from).map((row) => row.reduce((sum, v) => sum + v, 0) / row.length)].map((v) =>
        Float64Array.from(v),
      );
    case 'concat': {
      const parts = node.inputs.map((name, index) => ({
        data: input(index),
        size: elementCount(typeOf(graph, name).shape.slice(1)),
      }));
      return [
        Float64Array.from(
          Array.from({ length: to[0] }, (_, n) =>
            parts.flatMap(({ data, size }) => [...data.slice(n * size, (n + 1) * size)]),
          ).flat(),
        ),
      ];
    }
    case 'add':
      return [x.map((value, index) => value + at(input(1), index))];
    case 'flatten':
      return [x.slice()];
    case 'linear': {
      const [rows, columns, size] = [to[0], to[1], from[1]];
      const y = new Float64Array(rows * columns);
      return [
        y.map((_, i) => {
          const [row, column] = [Math.floor(i / columns), i % columns];
          let sum = node.inputs[2] ? at(input(2), column) : 0;
          for (let k = 0; k < size; k++) sum += at(x, row * size + k) * at(input(1), column * size + k);
          return sum;
        }),
      ];
    }
    case 'dropout':
      return [x.map((value, index) => value * at(input(1), index))];
    case 'logSoftmax':
      return [
        x.map((value, index) => {
          const start = Math.floor(index / from[1]) * from[1];
          return value - Math.log(x.slice(start, start + from[1]).reduce((sum, v) => sum + Math.exp(v), 0));
        }),
      ];
    case 'normalize': {
      const read = reader(x, from, 0);
      return [
        fillImage(
          to,
          (n, c, y, z) => read(n, node.order[c] ?? 0, y, z) * (node.scale[c] ?? NaN) + (node.shift[c] ?? NaN),
        ),
      ];
    }
    case 'runningAverage':
      return [x.map((value, index) => (1 - node.momentum) * value + node.momentum * at(input(1), index))];
    default:
      throw new Error(`${node.op} is no forward operator`);
  }
}

/** The values of each image's channels, one row for each. */
function channelRows(data: Float64Array, [n, c, h, w]: Sizes): Float64Array[] {
  return Array.from({ length: n * c }, (_, index) => data.slice(index * h * w, (index + 1) * h * w));
}

function perChannel(
  data: Float64Array,
  [, c, h, w]: Sizes,
  value: (v: number, channel: number) => number,
): Float64Array {
  return data.map((v, index) => value(v, Math.floor(index / (h * w)) % c));
}

function normaliseByBatch(
  x: Float64Array,
  sizes: Sizes,
  weight: Float64Array,
  bias: Float64Array,
  epsilon: number,
): Float64Array[] {
  const [n, channels, h, w] = sizes;
  const count = n * h * w;
  const mean = new Float64Array(channels);
  perChannel(x, sizes, (v, c) => (mean[c] = (mean[c] ?? 0) + v / count));
  const variance = new Float64Array(channels);
  perChannel(x, sizes, (v, c) => (variance[c] = (variance[c] ?? 0) + (v - (mean[c] ?? 0)) ** 2 / count));
  const inverse = variance.map((v) => 1 / Math.sqrt(v + epsilon));
  const y = perChannel(
    x,
    sizes,
    (v, c) => (v - (mean[c] ?? 0)) * (inverse[c] ?? 0) * (weight[c] ?? 0) + (bias[c] ?? 0),
  );
  return [y, mean, inverse, variance.map((v) => (v * count) / (count - 1))];
}

function convolve(
  { stride, padding, dilation, groups }: Convolution,
  x: Float64Array,
  from: Sizes,
  weight: Float64Array,
  kernel: Sizes,
  bias: Float64Array | undefined,
  to: Sizes,
): Float64Array {
  const [, inputs, rows, columns] = from;
  const [, perGroup, height, width] = kernel;
  return fillImage(to, (n, o, y, z) => {
    const group = Math.floor(o / (to[1] / groups));
    const [top, left] = [y * stride[0] - padding[0], z * stride[1] - padding[1]];
    let sum = bias?.[o] ?? 0;
    for (let i = 0; i < perGroup; i++) {
      const [image, taps] = [(n * inputs + group * perGroup + i) * rows, (o * perGroup + i) * height];
      for (let u = 0; u < height; u++) {
        const row = top + u * dilation[0];
        if (row < 0 || row >= rows) continue;
        for (let v = 0; v < width; v++) {
          const column = left + v * dilation[1];
          if (column < 0 || column >= columns) continue;
          sum += (weight[(taps + u) * width + v] ?? NaN) * (x[(image + row) * columns + column] ?? NaN);
        }
      }
    }
    return sum;
  });
}

/** Windows hold the image and its padding (`outside`), never what lies beyond the padding in ceil mode. */
function pool(
  { kernel, stride, padding, ceilMode }: Pooling,
  x: Float64Array,
  from: Sizes,
  to: Sizes,
  outside: number,
  reduce: (window: number[]) => number,
): Float64Array {
  const read = reader(x, from, outside);
  if (pooledSize(from[2], kernel[0], stride[0], padding[0], ceilMode) !== to[2]) throw new Error('sizes disagree');
  return fillImage(to, (n, c, y, z) => {
    const window: number[] = [];
    for (let u = 0; u < kernel[0]; u++)
      for (let v = 0; v < kernel[1]; v++) {
        const [row, column] = [y * stride[0] + u - padding[0], z * stride[1] + v - padding[1]];
        if (row < from[2] + padding[0] && column < from[3] + padding[1]) window.push(read(n, c, row, column));
      }
    return reduce(window);
  });
}

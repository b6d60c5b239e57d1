import type { Convolution, Graph, Node, Operator, Pair, Pooling, TensorType } from './graph.ts';
import { typeOf } from './graph.ts';
import { elementCount } from './tensor.ts';

/** A graph in the making. Functions of this file append to it and return the names of the values that they made. */
export interface GraphBuilder {
  readonly inputs: string[];
  readonly parameters: string[];
  readonly buffers: string[];
  readonly nodes: Node[];
  readonly updates: Map<string, string>;
  readonly types: Map<string, TensorType>;
  /** How batch norm computes: from its running statistics, or from the batch while it updates them. */
  readonly batchNorm: 'running' | 'batch';
}

export function createGraphBuilder(batchNorm: 'running' | 'batch' = 'running'): GraphBuilder {
  return { inputs: [], parameters: [], buffers: [], nodes: [], updates: new Map(), types: new Map(), batchNorm };
}

/** The finished graph. `outputs` are values made before. */
export function finishGraph(builder: GraphBuilder, outputs: readonly string[]): Graph {
  for (const output of outputs) typeOf(builder, output);
  const { inputs, parameters, buffers, nodes, updates, types } = builder;
  return { inputs, parameters, buffers, nodes, updates, types, outputs };
}

function declare(
  builder: GraphBuilder,
  name: string,
  shape: readonly number[],
  dtype: TensorType['dtype'] = 'float32',
) {
  if (builder.types.has(name)) throw new Error(`the graph has two values named ${name}`);
  builder.types.set(name, { dtype, shape });
  return name;
}

/** Declares a value that is fed at every run. */
export function input(
  builder: GraphBuilder,
  name: string,
  shape: readonly number[],
  dtype: TensorType['dtype'] = 'float32',
): string {
  builder.inputs.push(declare(builder, name, shape, dtype));
  return name;
}

/** Declares a learned tensor; the order of declarations is torch's parameter order. */
export function parameter(builder: GraphBuilder, name: string, shape: readonly number[]): string {
  builder.parameters.push(declare(builder, name, shape));
  return name;
}

/** Declares a tensor of the state dict that is not learned by gradient. */
export function buffer(builder: GraphBuilder, name: string, shape: readonly number[]): string {
  builder.buffers.push(declare(builder, name, shape));
  return name;
}

/** Appends one node whose outputs have the shapes given (float32) and returns their names, made from the operator's name. */
export function append<const Shapes extends readonly (readonly number[])[]>(
  builder: GraphBuilder,
  operator: Operator,
  inputs: readonly string[],
  shapes: Shapes,
): { [Index in keyof Shapes]: string } {
  for (const value of inputs) typeOf(builder, value);
  const serial = builder.nodes.length;
  const outputs = shapes.map((shape, index) =>
    declare(builder, `${operator.op}_${String(serial)}${index === 0 ? '' : `_${String(index)}`}`, shape),
  );
  builder.nodes.push({ ...operator, inputs, outputs });
  return outputs as { [Index in keyof Shapes]: string };
}

/** Shape of a value as `[N, C, H, W]`. Throws where it has another rank. */
export function imageShape(builder: Pick<Graph, 'types'>, value: string): readonly [number, number, number, number] {
  const [n, c, h, w, ...rest] = typeOf(builder, value).shape;
  if (n === undefined || c === undefined || h === undefined || w === undefined || rest.length > 0) {
    throw new Error(`${value} is no [N, C, H, W] value`);
  }
  return [n, c, h, w];
}

/** Shape of a value as `[rows, columns]`. Throws where it has another rank. */
export function matrixShape(builder: Pick<Graph, 'types'>, value: string): readonly [number, number] {
  const [rows, columns, ...rest] = typeOf(builder, value).shape;
  if (rows === undefined || columns === undefined || rest.length > 0) throw new Error(`${value} is no matrix`);
  return [rows, columns];
}

/** Options of a convolution with torch's defaults. */
export interface ConvolutionOptions {
  readonly channels: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly groups?: number;
  readonly bias?: boolean;
}

/** torch's Conv2d under the module name `name`: `[N, I, H, W]` -> `[N, channels, H', W']`. */
export function conv2d(builder: GraphBuilder, name: string, x: string, options: ConvolutionOptions): string {
  const { channels, kernel, stride = 1, padding = 0, groups = 1, bias = true } = options;
  const [n, c, h, w] = imageShape(builder, x);
  const weight = parameter(builder, `${name}.weight`, [channels, c / groups, kernel, kernel]);
  const inputs = bias ? [x, weight, parameter(builder, `${name}.bias`, [channels])] : [x, weight];
  const attributes: Convolution = {
    stride: [stride, stride],
    padding: [padding, padding],
    dilation: [1, 1],
    groups,
  };
  const size = (length: number) => Math.floor((length + 2 * padding - kernel) / stride) + 1;
  return append(builder, { op: 'conv2d', ...attributes }, inputs, [[n, channels, size(h), size(w)]])[0];
}

/** torch's default momentum: the share of a batch's statistic in the new running statistic. */
export const batchNormMomentum = 0.1;

/**
 * torch's BatchNorm2d (epsilon 1e-5) under the module name `name`. With the builder's `batchNorm: 'batch'` the graph
 * normalises by the batch's own statistics and moves the running ones by `batchNormMomentum`.
 */
export function batchNorm2d(builder: GraphBuilder, name: string, x: string): string {
  const shape = imageShape(builder, x);
  const channels = [shape[1]];
  const weight = parameter(builder, `${name}.weight`, channels);
  const bias = parameter(builder, `${name}.bias`, channels);
  const mean = buffer(builder, `${name}.running_mean`, channels);
  const variance = buffer(builder, `${name}.running_var`, channels);
  const epsilon = 1e-5;
  if (builder.batchNorm === 'running') {
    return append(builder, { op: 'batchNormInference', epsilon }, [x, weight, bias, mean, variance], [shape])[0];
  }
  const shapes = [shape, channels, channels, channels] as const;
  const [y, batchMean, , batchVariance] = append(
    builder,
    { op: 'batchNormTraining', epsilon },
    [x, weight, bias],
    shapes,
  );
  const move = (running: string, batch: string) => {
    const operator = { op: 'runningAverage', momentum: batchNormMomentum } as const;
    builder.updates.set(running, append(builder, operator, [running, batch], [channels])[0]);
  };
  move(mean, batchMean);
  move(variance, batchVariance);
  return y;
}

export function relu(builder: GraphBuilder, x: string): string {
  return append(builder, { op: 'relu' }, [x], [typeOf(builder, x).shape])[0];
}

/** Options of a pooling window, with torch's defaults. */
export interface PoolingOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly padding?: number;
  readonly ceilMode?: boolean;
}

/** Output length of a pooling window over `length`, as torch computes it: no window starts in the padding behind the image. */
export function pooledSize(length: number, kernel: number, stride: number, padding: number, ceilMode: boolean): number {
  const steps = (length + 2 * padding - kernel) / stride;
  const size = (ceilMode ? Math.ceil(steps) : Math.floor(steps)) + 1;
  return ceilMode && (size - 1) * stride >= length + padding ? size - 1 : size;
}

function pool(builder: GraphBuilder, op: 'maxPool' | 'averagePool', x: string, options: PoolingOptions): string {
  const { kernel, stride, padding = 0, ceilMode = false } = options;
  const [n, c, h, w] = imageShape(builder, x);
  const pair = (value: number): Pair => [value, value];
  const attributes: Pooling = { kernel: pair(kernel), stride: pair(stride), padding: pair(padding), ceilMode };
  const size = (length: number) => pooledSize(length, kernel, stride, padding, ceilMode);
  return append(builder, { op, ...attributes }, [x], [[n, c, size(h), size(w)]])[0];
}

export function maxPool2d(builder: GraphBuilder, x: string, options: PoolingOptions): string {
  return pool(builder, 'maxPool', x, options);
}

export function averagePool2d(builder: GraphBuilder, x: string, options: PoolingOptions): string {
  return pool(builder, 'averagePool', x, options);
}

/** Mean over the map: `[N, C, H, W]` -> `[N, C]`. */
export function globalAveragePool(builder: GraphBuilder, x: string): string {
  const [n, c] = imageShape(builder, x);
  return append(builder, { op: 'globalAveragePool' }, [x], [[n, c]])[0];
}

/** Joins maps of equal height and width along their channels. */
export function concat(builder: GraphBuilder, values: readonly string[]): string {
  const shapes = values.map((value) => imageShape(builder, value));
  const [first] = shapes;
  if (!first) throw new Error('nothing to concatenate');
  const channels = shapes.reduce((sum, shape) => sum + shape[1], 0);
  return append(builder, { op: 'concat' }, values, [[first[0], channels, first[2], first[3]]])[0];
}

export function add(builder: GraphBuilder, a: string, b: string): string {
  return append(builder, { op: 'add' }, [a, b], [typeOf(builder, a).shape])[0];
}

export function flatten(builder: GraphBuilder, x: string): string {
  const [n = 1, ...rest] = typeOf(builder, x).shape;
  return append(builder, { op: 'flatten' }, [x], [[n, elementCount(rest)]])[0];
}

/** torch's Linear under the module name `name`: `[N, in]` -> `[N, features]`. */
export function linear(builder: GraphBuilder, name: string, x: string, features: number): string {
  const [rows, columns] = matrixShape(builder, x);
  const weight = parameter(builder, `${name}.weight`, [features, columns]);
  const bias = parameter(builder, `${name}.bias`, [features]);
  return append(builder, { op: 'linear' }, [x, weight, bias], [[rows, features]])[0];
}

/**
 * Dropout: multiplies with a mask that is an input of the graph, named `${name}.mask`, so that the randomness is the
 * caller's, seeded, and the same in every engine. Left out (returns `x`) at rate 0.
 */
export function dropout(builder: GraphBuilder, name: string, x: string, rate: number): string {
  if (rate === 0) return x;
  const { shape } = typeOf(builder, x);
  const mask = input(builder, `${name}.mask`, shape);
  return append(builder, { op: 'dropout', rate }, [x, mask], [shape])[0];
}

export function logSoftmax(builder: GraphBuilder, x: string): string {
  return append(builder, { op: 'logSoftmax' }, [x], [typeOf(builder, x).shape])[0];
}

/**
 * Brings decoded pixels (uint8, RGB, 0 to 255) to what a network expects: channel `i` of the result is channel
 * `order[i]` of the image, times `scale[i]`, plus `shift[i]`.
 */
export function normalize(
  builder: GraphBuilder,
  image: string,
  constants: {
    readonly scale: readonly number[];
    readonly shift: readonly number[];
    readonly order: readonly number[];
  },
): string {
  return append(builder, { op: 'normalize', ...constants }, [image], [typeOf(builder, image).shape])[0];
}

import type { ModelIndex } from '../modelIndex.ts';
import { declaredShape, integerAttribute, valuesRead } from '../modelIndex.ts';
import type { OnnxModel, OnnxNode, OnnxTensor, OnnxValueInfo } from '../onnxModel.ts';
import { float32Value, onnxDataTypes, onnxNumber } from '../onnxModel.ts';
import { rescalesPixels } from './ownRescaling.ts';

/** A model cut down to one output `[N, count]`, for any batch size. */
export interface TruncatedModel {
  readonly model: OnnxModel;
  /** Name of its only input: images `[N, 3, H, W]`, float32. */
  readonly input: string;
  /** Name of its only output, float32. */
  readonly output: string;
  /** Side in pixels of the square images that it takes; undefined where it takes any. */
  readonly imageSize: number | undefined;
  /** Whether the file's own input is `[N, H, W, 3]`, as Keras has it. */
  readonly channelsLast: boolean;
  /** Whether it brings pixels of 0 to 255 to the range that it wants itself. */
  readonly rescalesPixels: boolean;
  /** What the file says of itself. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The value that a model is cut down to. */
export interface Target {
  readonly value: string;
  /** Size of axis 1 of the output. */
  readonly count: number;
  /** 2 for `[N, count]`, 4 for a map, which is then averaged; undefined for one of both; or tokens `[N, T, D]`. */
  readonly rank: 2 | 4 | Tokens | undefined;
}

/** How tokens become features: the first of them, the mean over the patches, or both side by side. */
export type TokenPool = 'cls' | 'mean' | 'cls+mean';

/** Tokens and how they are pooled. */
export interface Tokens {
  readonly pool: TokenPool;
  /** The map of patches `[N, D, h, w]`, whose h * w tokens come last, behind class and register tokens. */
  readonly patches: string | undefined;
}

const float16 = 10;
const batch = 'N';
/** Far more features or classes, and larger images, than networks have. */
const mostColumns = 1_000_000;
const mostPixels = 2048;
/** Names that a sentence lists. */
const mostNamed = 5;
/** Dimensions of a Reshape that may begin with the batch size. */
const mostDimensions = 64;

/**
 * Cuts a model down to the nodes and weights that `target` needs, makes its batch size open, and averages maps over
 * height and width. Images that the model wants as `[N, H, W, 3]` or as float16 are brought there inside. Throws
 * `RangeError` with a sentence for the user where the model cannot be used so.
 */
export function truncateModel(model: OnnxModel, index: ModelIndex, target: Target): TruncatedModel {
  if (!Number.isSafeInteger(target.count) || target.count < 1 || target.count > mostColumns) {
    throw new RangeError(`the ONNX file says that there are ${target.count} features or classes`);
  }
  const nodes = nodesBefore(index, target.value);
  const read = new Set([...nodes.flatMap(valuesRead), target.value]);
  const named = freshNames(index);
  const image = imageInput(index, read, named);
  const shapes = openBatch(index, nodes, image.batchSize, named);
  const isHalf = (index.graph.initializer ?? []).some(({ dataType }) => dataType === float16);
  const after = asMatrix(target, isHalf || image.elementType === float16, named);
  const initializer = [
    ...(index.graph.initializer ?? []).filter((tensor) => read.has(tensor.name ?? '')),
    ...shapes.tensors,
    ...after.tensors,
  ];
  const graph = {
    ...index.graph,
    node: [...image.nodes, ...shapes.nodes, ...after.nodes],
    initializer,
    input: [image.info],
    output: [float32Value(after.output, [batch, target.count])],
    // Their shapes hold the old batch size.
    valueInfo: [],
  };
  // From IR version 4 on, weights need not be inputs too.
  const irVersion = Math.max(4, onnxNumber(model.irVersion));
  return {
    model: { ...model, irVersion, graph },
    input: image.info.name,
    output: after.output,
    imageSize: image.imageSize,
    channelsLast: image.channelsLast,
    rescalesPixels: rescalesPixels(index, image.name),
    metadata: new Map((model.metadataProps ?? []).map(({ key, value }) => [key, value] as const)),
  };
}

/** A name in the model for something of ours. */
type Named = (what: string) => string;

/** Names that the model has not: one that we exported has been cut down before. */
function freshNames({ graph, producers, constants }: ModelIndex): Named {
  const taken = [...producers.keys(), ...constants.keys(), ...graph.input.map(({ name }) => name)];
  const ours = new Set(taken.map((name) => /^fivecrop\d*_/u.exec(name)?.[0]));
  let prefix = 'fivecrop_';
  for (let number = 2; ours.has(prefix); number++) prefix = `fivecrop${number}_`;
  return (what) => `${prefix}${what}`;
}

/** The nodes that a value depends on, in their order. */
function nodesBefore(index: ModelIndex, value: string): OnnxNode[] {
  const needed = new Set<OnnxNode>();
  const open = [value];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = index.producers.get(name);
    if (!node || needed.has(node)) continue;
    needed.add(node);
    for (const read of valuesRead(node)) open.push(read);
  }
  return index.graph.node.filter((node) => needed.has(node));
}

interface ImageInput {
  readonly info: OnnxValueInfo;
  /** Bring `info` to the model's own input. */
  readonly nodes: readonly OnnxNode[];
  readonly elementType: number;
  /** The batch size that the model is fixed to; undefined where it is open. */
  readonly batchSize: number | undefined;
  readonly imageSize: number | undefined;
  /** The model's own input. */
  readonly name: string;
  readonly channelsLast: boolean;
}

function imageInput(index: ModelIndex, read: ReadonlySet<string>, named: Named): ImageInput {
  const inputs = index.graph.input.filter(({ name }) => read.has(name) && !index.constants.has(name));
  const [info] = inputs;
  if (!info || inputs.length > 1) {
    const names =
      inputs
        .map(({ name }) => name)
        .slice(0, mostNamed)
        .join(', ') || 'none';
    throw new RangeError(`the ONNX file must have one input, the images, but its inputs are: ${names}`);
  }
  const [batchSize, ...sizes] = declaredShape(index, info.name) ?? [];
  const last = sizes[0] !== 3 && sizes[2] === 3;
  const [channels, height, width] = last ? [sizes[2], sizes[0], sizes[1]] : sizes;
  if (sizes.length !== 3 || (channels !== undefined && channels !== 3) || height !== width) {
    const shape = [batchSize, ...sizes].map((size) => size ?? '?').join(', ');
    throw new RangeError(
      `the ONNX file's input ${info.name} must take square color images as [N, 3, H, W], but its shape is [${shape}]`,
    );
  }
  if (height !== undefined && height > mostPixels) {
    throw new RangeError(`the ONNX file takes images of ${height} pixels, and ${mostPixels} are the most`);
  }
  const elementType = info.type?.tensorType?.elemType ?? 0;
  if (elementType !== onnxDataTypes.float32 && elementType !== float16) {
    throw new RangeError(`the ONNX file's input ${info.name} must be float32 or float16; export it again as float32`);
  }
  const adapted = adaptInput(info.name, last, elementType === float16, named);
  const dims = [batch, 3, height ?? 'H', width ?? 'W'];
  const own = { name: info.name, channelsLast: last, elementType, batchSize, imageSize: height };
  return { ...own, info: float32Value(adapted.name, dims), nodes: adapted.nodes };
}

/** Nodes between images `[N, 3, H, W]` in float32 and an input that wants channels last or float16. */
function adaptInput(name: string, channelsLast: boolean, half: boolean, named: Named) {
  const nodes: OnnxNode[] = [];
  let value = name;
  if (channelsLast) {
    const perm = { name: 'perm', type: 7, ints: [0, 2, 3, 1] };
    const images = named('images');
    nodes.unshift({ opType: 'Transpose', input: [images], output: [value], attribute: [perm] });
    value = images;
  }
  if (half) {
    const pixels = named('pixels');
    nodes.unshift(cast(pixels, value, float16));
    value = pixels;
  }
  return { name: value, nodes };
}

function cast(from: string, to: string, elementType: number): OnnxNode {
  return { opType: 'Cast', input: [from], output: [to], attribute: [{ name: 'to', type: 2, i: elementType }] };
}

/**
 * The same nodes without the batch size that the file was exported with: a Reshape to a constant shape that begins with
 * it takes the size of what comes in instead.
 */
function openBatch(index: ModelIndex, nodes: readonly OnnxNode[], batchSize: number | undefined, named: Named) {
  const tensors: OnnxTensor[] = [];
  const opened = nodes.map((node) => {
    const [data = '', shapeName = ''] = node.input;
    const shape = index.constants.get(shapeName);
    if (batchSize === undefined || node.opType !== 'Reshape' || !shape) return node;
    if (onnxNumber(shape.dims?.[0]) > mostDimensions) return node;
    const [first, ...rest] = int64Values(shape);
    if (first !== batchSize || integerAttribute(node, 'allowzero', 0) === 1) return node;
    const name = named(`shape_${tensors.length}`);
    tensors.push(int64Tensor(name, [0, ...rest]));
    return { ...node, input: [data, name] };
  });
  return { nodes: opened, tensors };
}

/** Nodes that bring the target to `[N, count]` in float32. */
function asMatrix({ value, count, rank }: Target, isHalf: boolean, named: Named) {
  const nodes: OnnxNode[] = [];
  const tensors: OnnxTensor[] = [];
  let output = value;
  const then = (opType: string, name: string, ...more: string[]) => {
    nodes.push({ opType, input: [output, ...more], output: [name] });
    output = name;
  };
  if (rank === undefined) {
    // Fits [N, count], [N, count, 1, 1] and maps alike.
    tensors.push(int64Tensor(named('map_shape'), [0, count, -1, 1]));
    then('Reshape', named('map'), named('map_shape'));
  }
  if (typeof rank === 'object') {
    const pooled = poolTokens(value, rank, named);
    nodes.push(...pooled.nodes);
    tensors.push(...pooled.tensors);
    output = pooled.output;
  } else if (rank !== 2) {
    then('GlobalAveragePool', named('mean'));
    then('Flatten', named('matrix'));
  }
  if (isHalf) {
    nodes.push(cast(output, named('output'), onnxDataTypes.float32));
    output = named('output');
  }
  return { nodes, tensors, output };
}

/** Nodes that make `[N, D]`, or `[N, 2 D]` of both, of tokens `[N, T, D]`. */
function poolTokens(value: string, { pool, patches }: Tokens, named: Named) {
  const nodes: OnnxNode[] = [];
  const tensors: OnnxTensor[] = [];
  const constant = (what: string, ...values: number[]) => {
    tensors.push(int64Tensor(named(what), values));
    return named(what);
  };
  const node = (opType: string, input: readonly string[], what: string, attribute: OnnxNode['attribute'] = []) => {
    nodes.push({ opType, input: [...input], output: [named(what)], attribute });
    return named(what);
  };
  const pooled: string[] = [];
  if (pool !== 'mean') {
    const bounds = [constant('first', 0), constant('second', 1), constant('token_axis', 1)];
    pooled.push(node('Flatten', [node('Slice', [value, ...bounds], 'class_token')], 'class_features'));
  }
  if (pool !== 'cls') {
    const shape = node('Shape', [patches ?? ''], 'patches_shape');
    const side = (what: string, axis: number) => node('Gather', [shape, constant(`${what}_axis`, axis)], what);
    const count = node('Mul', [side('rows', 2), side('columns', 3)], 'patch_count');
    // Counted from the end, so that it does not matter how many tokens come first.
    const bounds = [node('Neg', [count], 'first_patch'), constant('end', 2 ** 31 - 1), constant('patch_axis', 1)];
    const tokens = node('Slice', [value, ...bounds], 'patch_tokens');
    const last = [{ name: 'perm', type: 7, ints: [0, 2, 1] }];
    const mean = node('GlobalAveragePool', [node('Transpose', [tokens], 'patch_columns', last)], 'patch_mean');
    pooled.push(node('Flatten', [mean], 'patch_features'));
  }
  const [output = ''] = pooled;
  if (pooled.length === 1) return { nodes, tensors, output };
  const joined = node('Concat', pooled, 'token_features', [{ name: 'axis', type: 2, i: 1 }]);
  return { nodes, tensors, output: joined };
}

function int64Values(tensor: OnnxTensor): number[] {
  const { rawData } = tensor;
  if (!rawData?.length) return (tensor.int64Data ?? []).map(onnxNumber);
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Array.from({ length: rawData.byteLength / 8 }, (_, index) => Number(view.getBigInt64(8 * index, true)));
}

function int64Tensor(name: string, values: readonly number[]): OnnxTensor {
  return { name, dims: [values.length], dataType: onnxDataTypes.int64, int64Data: [...values] };
}

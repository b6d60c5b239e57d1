import type * as tfjs from '@tensorflow/tfjs';
import { isBatch, type Recorder, type TensorInfo, typeName } from './graphParts.ts';

type Inputs = tfjs.NamedTensorInfoMap;

/** What the library's kernels are told, as far as it is used: https://github.com/tensorflow/tfjs, `kernel_names.ts`. */
interface Attributes {
  readonly axis: number | number[];
  readonly reductionIndices: number | number[];
  readonly keepDims: boolean;
  readonly strides: number | [number, number];
  readonly filterSize: number | [number, number];
  readonly dilations: number | [number, number];
  readonly pad: 'valid';
  readonly perm: readonly number[];
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly begin: number[];
  readonly size: number[];
  readonly numOrSizeSplits: number | readonly number[];
  readonly paddings: readonly (readonly [number, number])[];
  readonly constantValue: number;
  readonly reps: readonly number[];
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly varianceEpsilon: number;
  readonly clipValueMin: number;
  readonly clipValueMax: number;
}

type Kernel = (recorder: Recorder, inputs: Inputs, attributes: Attributes) => TensorInfo | TensorInfo[];

const typeOf = ({ dtype }: TensorInfo) => ({ T: { type: typeName(dtype) } });
const list = (...values: readonly number[]) => ({ list: { i: values.map(String) } });
const text = (value: string) => ({ s: Buffer.from(value).toString('base64') });
const layout = { padding: text('VALID'), data_format: text('NHWC') };
const pair = (value: number | readonly [number, number]) => (typeof value === 'number' ? [value, value] : value);

/** Value by value. */
function unary(op: string): Kernel {
  return ({ node, nameOf }, inputs) => {
    const x = the(inputs, 'x');
    return node(op, [nameOf(x)], typeOf(x), x);
  };
}

function binary(op: string, dtype?: 'bool'): Kernel {
  return ({ tf, node, nameOf }, inputs) => {
    const [a, b] = [the(inputs, 'a'), the(inputs, 'b')];
    const shape = tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
    return node(op, [nameOf(a), nameOf(b)], typeOf(a), { shape, dtype: dtype ?? a.dtype });
  };
}

function reduction(op: string, axesOf: (attributes: Attributes) => number | number[]): Kernel {
  return ({ tf, node, nameOf, integers }, inputs, attributes) => {
    const x = the(inputs, 'x');
    const axes = tf.util.parseAxisParam(axesOf(attributes), x.shape);
    const [reduced] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes);
    const shape = attributes.keepDims ? tf.backend_util.expandShapeToKeepDim(reduced, axes) : reduced;
    const attr = { ...typeOf(x), Tidx: { type: typeName('int32') }, keep_dims: { b: attributes.keepDims } };
    return node(op, [nameOf(x), integers(axes)], attr, { shape, dtype: x.dtype });
  };
}

function pooling(op: string): Kernel {
  return ({ tf, node, nameOf }, inputs, { filterSize, strides, pad }) => {
    const x = the(inputs, 'x');
    const { outShape: shape } = tf.backend_util.computePool2DInfo(image(x), filterSize, strides, 1, pad);
    const attr = { ...typeOf(x), ksize: list(1, ...pair(filterSize), 1), strides: list(1, ...pair(strides), 1), ...layout }; // prettier-ignore
    return node(op, [nameOf(x)], attr, { shape, dtype: x.dtype });
  };
}

function convolution(op: string, isDepthwise: boolean): Kernel {
  return ({ tf, node, nameOf }, inputs, { strides, dilations, pad }) => {
    const [x, filter] = [the(inputs, 'x'), the(inputs, 'filter')];
    const { outShape: shape } = tf.backend_util.computeConv2DInfo(image(x), image(filter), strides, dilations, pad, undefined, isDepthwise); // prettier-ignore
    const attr = { ...typeOf(x), strides: list(1, ...pair(strides), 1), dilations: list(1, ...pair(dilations), 1), ...layout }; // prettier-ignore
    return node(op, [nameOf(x), nameOf(filter)], attr, { shape, dtype: x.dtype });
  };
}

/** How each of the library's kernels is written, by its name, as far as the operators of networks use them. */
export const graphKernels: Readonly<
  Record<string, (recorder: Recorder, inputs: Inputs, attributes: object) => TensorInfo | TensorInfo[]>
> = prepared({
  // prettier-ignore
  Relu: unary('Relu'),
  Sigmoid: unary('Sigmoid'),
  Tanh: unary('Tanh'),
  Exp: unary('Exp'),
  Log: unary('Log'),
  Sqrt: unary('Sqrt'),
  Rsqrt: unary('Rsqrt'),
  Reciprocal: unary('Reciprocal'),
  Square: unary('Square'),
  Erf: unary('Erf'),
  Add: binary('AddV2'),
  Sub: binary('Sub'),
  Multiply: binary('Mul'),
  RealDiv: binary('RealDiv'),
  Maximum: binary('Maximum'),
  Greater: binary('Greater', 'bool'),
  GreaterEqual: binary('GreaterEqual', 'bool'),
  Equal: binary('Equal', 'bool'),
  Mean: reduction('Mean', ({ axis }) => axis),
  Sum: reduction('Sum', ({ axis }) => axis),
  Max: reduction('Max', ({ reductionIndices }) => reductionIndices),
  MaxPool: pooling('MaxPool'),
  AvgPool: pooling('AvgPool'),
  Conv2D: convolution('Conv2D', false),
  DepthwiseConv2dNative: convolution('DepthwiseConv2dNative', true),
  Identity: (_, inputs) => the(inputs, 'x'),
  Cast({ node, nameOf }, inputs, { dtype }) {
    const x = the(inputs, 'x');
    if (x.dtype === dtype) return x;
    const attr = { SrcT: { type: typeName(x.dtype) }, DstT: { type: typeName(dtype) } };
    return node('Cast', [nameOf(x)], attr, { shape: x.shape, dtype });
  },
  Softmax({ node, nameOf }, inputs) {
    const logits = the(inputs, 'logits');
    return node('Softmax', [nameOf(logits)], typeOf(logits), logits);
  },
  ClipByValue({ node, nameOf, float }, inputs, { clipValueMin, clipValueMax }) {
    const x = the(inputs, 'x');
    return node('ClipByValue', [nameOf(x), float(clipValueMin), float(clipValueMax)], typeOf(x), x);
  },
  Transpose({ node, nameOf, integers }, inputs, { perm }) {
    const x = the(inputs, 'x');
    const shape = perm.map((axis) => x.shape[axis] ?? 0);
    return node('Transpose', [nameOf(x), integers(perm)], { ...typeOf(x), Tperm: { type: typeName('int32') } }, { shape, dtype: x.dtype }); // prettier-ignore
  },
  Reshape({ tf, node, nameOf, integers, constantOf, constant }, inputs, attributes) {
    const x = the(inputs, 'x');
    const shape = tf.util.inferFromImplicitShape([...attributes.shape], tf.util.sizeFromShape(x.shape));
    if (shape.join() === x.shape.join()) return x;
    const values = constantOf(x);
    if (values) return constant(values, shape);
    return node('Reshape', [nameOf(x), integers(open(shape))], { ...typeOf(x), Tshape: { type: typeName('int32') } }, { shape, dtype: x.dtype }); // prettier-ignore
  },
  Slice({ tf, node, nameOf, integers }, inputs, attributes) {
    const x = the(inputs, 'x');
    const [begin = [], size = []] = tf.slice_util.parseSliceParams(x, attributes.begin, attributes.size);
    return node('Slice', [nameOf(x), integers(begin), integers(open(size))], { ...typeOf(x), Index: { type: typeName('int32') } }, { shape: size, dtype: x.dtype }); // prettier-ignore
  },
  SplitV({ tf, node, output, nameOf, integer, integers }, inputs, { numOrSizeSplits, axis }) {
    const x = the(inputs, 'x');
    const [along = 0] = tf.util.parseAxisParam(axis, x.shape);
    const sizes =
      typeof numOrSizeSplits === 'number'
        ? Array.from({ length: numOrSizeSplits }, () => (x.shape[along] ?? 0) / numOrSizeSplits)
        : [...numOrSizeSplits];
    const attr = { ...typeOf(x), num_split: { i: String(sizes.length) }, Tlen: { type: typeName('int32') } };
    const first = node('SplitV', [nameOf(x), integers(sizes), integer(along)], attr, x);
    return sizes.map((size, index) => output(first, index, x.shape.with(along, size)));
  },
  Concat({ tf, node, nameOf, integer }, inputs, { axis }) {
    const parts = Object.values(inputs).filter((part) => part !== undefined);
    const [first] = parts;
    if (!first) throw new Error('nothing to concatenate');
    const [along = 0] = tf.util.parseAxisParam(axis, first.shape);
    const shape = tf.backend_util.computeOutShape(parts.map((part) => part.shape), along); // prettier-ignore
    const attr = { ...typeOf(first), N: { i: String(parts.length) }, Tidx: { type: typeName('int32') } };
    return node('ConcatV2', [...parts.map(nameOf), integer(along)], attr, { shape, dtype: first.dtype });
  },
  PadV2({ node, nameOf, constant, float }, inputs, { paddings, constantValue }) {
    const x = the(inputs, 'x');
    const table = nameOf(constant(Int32Array.from(paddings.flat()), [paddings.length, 2]));
    const shape = x.shape.map((size, axis) => (paddings[axis] ?? [0, 0]).reduce((sum, side) => sum + side, size));
    return node('PadV2', [nameOf(x), table, float(constantValue)], { ...typeOf(x), Tpaddings: { type: typeName('int32') } }, { shape, dtype: x.dtype }); // prettier-ignore
  },
  Tile({ node, nameOf, integer, integers, batch }, inputs, { reps }) {
    const x = the(inputs, 'x');
    const shape = x.shape.map((size, axis) => size * (reps[axis] ?? 1));
    const [times = 1, ...rest] = reps;
    if (rest.some(isBatch)) throw new Error('a value is repeated along another axis than that of the images');
    const type = { type: typeName('int32') };
    const counts = isBatch(times)
      ? nameOf(node('ConcatV2', [batch(), integers(rest), integer(0)], { T: type, N: { i: '2' }, Tidx: type }, { shape: [reps.length], dtype: 'int32' })) // prettier-ignore
      : integers(reps);
    return node('Tile', [nameOf(x), counts], { ...typeOf(x), Tmultiples: type }, { shape, dtype: x.dtype });
  },
  GatherV2({ tf, node, nameOf, integer }, inputs, { axis }) {
    const [x, indices] = [the(inputs, 'x'), the(inputs, 'indices')];
    const [along = 0] = tf.util.parseAxisParam(axis, x.shape);
    const shape = [...x.shape.slice(0, along), ...indices.shape, ...x.shape.slice(along + 1)];
    const attr = {
      Tparams: { type: typeName(x.dtype) },
      Tindices: { type: typeName(indices.dtype) },
      Taxis: { type: typeName('int32') },
      batch_dims: { i: '0' },
    };
    return node('GatherV2', [nameOf(x), nameOf(indices), integer(along)], attr, { shape, dtype: x.dtype });
  },
  BatchMatMul({ tf, node, nameOf }, inputs, { transposeA, transposeB }) {
    const [a, b] = [the(inputs, 'a'), the(inputs, 'b')];
    const rows = a.shape.at(transposeA ? -1 : -2) ?? 0;
    const columns = b.shape.at(transposeB ? -2 : -1) ?? 0;
    const before = tf.backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const output = { shape: [...before, rows, columns], dtype: a.dtype };
    const names = [nameOf(a), nameOf(b)];
    if (output.shape.length === 2) {
      return node('MatMul', names, { ...typeOf(a), transpose_a: { b: transposeA }, transpose_b: { b: transposeB } }, output); // prettier-ignore
    }
    return node('BatchMatMulV2', names, { ...typeOf(a), adj_x: { b: transposeA }, adj_y: { b: transposeB } }, output);
  },
  FusedBatchNorm({ node, nameOf }, inputs, { varianceEpsilon }) {
    const x = the(inputs, 'x');
    const others = ['scale', 'offset', 'mean', 'variance'].map((name) => nameOf(the(inputs, name)));
    const attr = { ...typeOf(x), U: { type: typeName('float32') }, epsilon: { f: varianceEpsilon }, data_format: text('NHWC'), is_training: { b: false } }; // prettier-ignore
    return node('FusedBatchNormV3', [nameOf(x), ...others], attr, x);
  },
});

/** The library gives each kernel the attributes of its kind. */
function prepared(kernels: Readonly<Record<string, Kernel>>): typeof graphKernels {
  return Object.fromEntries(
    Object.entries(kernels).map(([name, kernel]) => [
      name,
      (recorder, inputs, attributes) => kernel(recorder, inputs, attributes as Attributes),
    ]),
  );
}

function the(inputs: Inputs, name: string): TensorInfo {
  const value = inputs[name];
  if (!value) throw new Error(`a kernel was called without ${name}`);
  return value;
}

function image({ shape }: TensorInfo): [number, number, number, number] {
  const [n, height, width, channels] = shape;
  if (n === undefined || height === undefined || width === undefined || channels === undefined) {
    throw new Error(`a value of shape [${shape.join(', ')}] is not an image`);
  }
  return [n, height, width, channels];
}

/** Sizes as they are written: -1, what is left, for the number of images. */
function open(sizes: readonly number[]): number[] {
  if (sizes.filter(isBatch).length > 1) throw new Error(`two axes of [${sizes.join(', ')}] are numbers of images`);
  return sizes.map((size) => (isBatch(size) ? -1 : size));
}

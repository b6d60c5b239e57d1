import { encodeOnnx, type OnnxAttribute, type OnnxNode, type OnnxTensor } from '../../../src/ml/onnx/onnxModel.ts';

/*
 * A transformer in small, without its layers: images of 4x4, or any multiple of 2, are cut into patches of 2x2 with three
 * features; before their tokens stand a class token, ten times the first patch, and a register token, a hundred times.
 */

export const node = (opType: string, input: string[], output: string, ...attribute: OnnxAttribute[]): OnnxNode => ({
  opType,
  input,
  output: [output],
  attribute,
});
export const list = (name: string, ...ints: number[]): OnnxAttribute => ({ name, type: 7, ints });
export const whole = (name: string, i: number): OnnxAttribute => ({ name, type: 2, i });
export const integers = (name: string, ...int64Data: number[]): OnnxTensor => ({
  ...{ name, dims: [int64Data.length], dataType: 7 },
  int64Data,
});

type Precision = 'float32' | 'float16' | 'int8';

/** A number that float16 holds exactly, as its 16 bits. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | ((Math.abs(value) / 2 ** exponent - 1) * 1024);
}

export function numbers(name: string, dims: number[], values: number[], precision: Precision): OnnxTensor {
  if (precision !== 'float16') return { name, dims, dataType: 1, floatData: values };
  return { name, dims, dataType: 10, rawData: new Uint8Array(Uint16Array.from(values, halfBits).buffer) };
}

/** Each feature of a patch is the sum of its four pixels of one colour. */
export const patchWeights = Array.from({ length: 36 }, (_, i) =>
  Math.floor(i / 12) === Math.floor((i % 12) / 4) ? 1 : 0,
);

function patchNodes(precision: Precision): { nodes: OnnxNode[]; tensors: OnnxTensor[] } {
  const cut = [list('kernel_shape', 2, 2), list('strides', 2, 2)];
  if (precision !== 'int8') {
    return {
      nodes: [node('Conv', ['x', 'kernel'], 'patches', ...cut)],
      tensors: [numbers('kernel', [3, 3, 2, 2], patchWeights, precision)],
    };
  }
  const bytes = Uint8Array.from(patchWeights, (value) => value * 127);
  return {
    nodes: [
      { opType: 'DynamicQuantizeLinear', input: ['x'], output: ['xq', 'scale', 'zero'] },
      node('ConvInteger', ['xq', 'bytes', 'zero'], 'sums', ...cut),
      node('Cast', ['sums'], 'counted', whole('to', 1)),
      node('Mul', ['scale', 'step'], 'steps'),
      node('Mul', ['counted', 'steps'], 'patches'),
    ],
    tensors: [
      { name: 'bytes', dims: [3, 3, 2, 2], dataType: 3, rawData: bytes },
      numbers('step', [], [1 / 127], precision),
    ],
  };
}

export function tokenModel(precision: Precision = 'float32', size: number | string = 4): Uint8Array {
  const { nodes, tensors } = patchNodes(precision);
  const type = precision === 'float16' ? 10 : 1;
  const info = (name: string, shape: (number | string)[]) => ({
    name,
    type: {
      tensorType: {
        elemType: type,
        shape: { dim: shape.map((of) => (typeof of === 'number' ? { dimValue: of } : { dimParam: of })) },
      },
    },
  });
  const graph = {
    name: 'tokens',
    node: [
      ...nodes,
      node('Reshape', ['patches', 'flat'], 'columns'),
      node('Transpose', ['columns'], 'rows', list('perm', 0, 2, 1)),
      node('Slice', ['rows', 'zero_index', 'one_index', 'one_index'], 'first'),
      node('Mul', ['first', 'ten'], 'class'),
      node('Mul', ['first', 'hundred'], 'register'),
      node('Concat', ['class', 'register', 'rows'], 'last_hidden_state', whole('axis', 1)),
    ],
    initializer: [
      ...tensors,
      ...[integers('flat', 0, 3, -1), integers('zero_index', 0), integers('one_index', 1)],
      ...[numbers('ten', [], [10], precision), numbers('hundred', [], [100], precision)],
    ],
    input: [info('x', ['N', 3, size, size])],
    output: [info('last_hidden_state', ['N', 'T', 3])],
  };
  return encodeOnnx({ irVersion: 8, opsetImport: [{ domain: '', version: 13 }], graph });
}

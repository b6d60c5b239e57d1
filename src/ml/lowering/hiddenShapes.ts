import { placeName } from '../graph/nodePlaces.ts';
import type { Lowering } from './lowering.ts';
import { float32Value, type OnnxNode, type OnnxValueInfo } from '../onnx/onnxModel.ts';

/**
 * The nodes of a model of a training step, with the shapes that constants give to values hidden until a step runs. ONNX Runtime
 * does not free a buffer of known shape but keeps it until a later value of that shape takes it, a map's of the forward
 * pass for a gradient's. So each such shape becomes the larger of itself and the negative size of `input`, whose shape
 * the model leaves open. That size is a scalar whose rank is not known before either: where ONNX Runtime knows a value's
 * rank, it compares its shape with every buffer that was used before, and a session of 21,000 nodes takes 42 s to make
 * instead of 3.
 */
export function hideShapes(lowering: Lowering, input: string): OnnxNode[] {
  const { emit, initializers, integers, nodes } = lowering;
  const constants = new Set(initializers.map(({ name }) => name));
  const hidden = new Map<string, string>();
  const count = nodes.length;
  lowering.place = placeName('reshape', { layer: 'input', phase: 'forward' });
  const none = emit('Slice', [emit('Shape', [input]), integers([0]), integers([0])]);
  const less = emit('Neg', [emit('Reshape', [emit('Size', [input]), none])]);
  const hide = (shape: string) => {
    const known = hidden.get(shape) ?? emit('Max', [shape, less]);
    hidden.set(shape, known);
    return known;
  };
  const changed = nodes.slice(0, count).map((node) => {
    const [data = '', shape = ''] = node.input;
    if (node.opType === 'Max' && constants.has(data)) return { ...node, input: [hide(data), shape] };
    const isShaped = (node.opType === 'Reshape' || node.opType === 'Expand') && constants.has(shape);
    return isShaped ? { ...node, input: [data, hide(shape)] } : node;
  });
  return [...nodes.slice(count), ...changed];
}

/**
 * Names for the sizes of images that are written over others: by a convolution that adds to one, and where `overwrites` says
 * so. Where ONNX Runtime knows that both are of one size and that no one else reads the first, it saves the memory; what a
 * convolution adds to it copies otherwise, and on one core.
 */
export function sizesInPlace(nodes: readonly OnnxNode[], overwrites: ReadonlyMap<string, string>): OnnxValueInfo[] {
  const sizes = new Map<string, string>();
  for (const { opType, input, output } of nodes) {
    const [result = ''] = output;
    const image = overwrites.get(result) ?? (opType === 'Conv' ? input[3] : undefined);
    if (image === undefined) continue;
    const size = sizes.get(image) ?? image;
    sizes.set(image, size);
    sizes.set(result, size);
  }
  const dims = (size: string) => ['images', 'channels', 'height', 'width'].map((axis) => `${axis} of ${size}`);
  return [...sizes].map(([name, size]) => float32Value(name, dims(size)));
}

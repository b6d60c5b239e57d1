import { placeName } from '../nodePlaces.ts';
import type { Lowering } from './lowering.ts';
import type { OnnxNode } from './onnxModel.ts';

/**
 * The nodes of a model in blocks, with the shapes that constants give to values hidden until a step runs. ONNX Runtime
 * does not free a buffer of known shape but keeps it until a later value of that shape takes it, a map's of the forward
 * pass for a gradient's. So each such shape becomes the larger of itself and the negative size of `input`, whose shape
 * the model leaves open.
 */
export function hideShapes(lowering: Lowering, input: string): OnnxNode[] {
  const { emit, initializers, nodes } = lowering;
  const constants = new Set(initializers.map(({ name }) => name));
  const hidden = new Map<string, string>();
  const count = nodes.length;
  lowering.place = placeName({ op: 'reshape' }, { layer: 'input', phase: 'forward' });
  const less = emit('Neg', [emit('Size', [input])]);
  const hide = (shape: string) => {
    const known = hidden.get(shape) ?? emit('Max', [shape, less]);
    hidden.set(shape, known);
    return known;
  };
  const changed = nodes.slice(0, count).map((node) => {
    const [data = '', shape = ''] = node.input;
    const isShaped = (node.opType === 'Reshape' || node.opType === 'Expand') && constants.has(shape);
    return isShaped ? { ...node, input: [data, hide(shape)] } : node;
  });
  return [...nodes.slice(count), ...changed];
}

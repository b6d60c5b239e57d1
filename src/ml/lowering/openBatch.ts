import type { OnnxNode } from '../onnx/onnxModel.ts';
import type { Lowering } from './lowering.ts';

/**
 * Makes a model that was written for a batch of one take any batch: the shapes that it reshapes to follow from the value's
 * size, and what it expands to, from the batch of its `input`. The batch is the first axis of every value that has one.
 */
export function openShapes(lowering: Lowering, input: string): void {
  const shapes = new Map(lowering.initializers.map((tensor) => [tensor.name ?? '', tensor]));
  const written = lowering.nodes.splice(0);
  const restOf = (node: OnnxNode): number[] | undefined => {
    const { rawData } = shapes.get(node.input[1] ?? '') ?? {};
    if (!rawData) return undefined;
    return [...new BigInt64Array(rawData.slice().buffer)].slice(1).map(Number);
  };
  for (const node of written) {
    const rest = node.opType === 'Reshape' || node.opType === 'Expand' ? restOf(node) : undefined;
    if (rest && node.opType === 'Reshape') {
      lowering.nodes.push({ ...node, input: [node.input[0] ?? '', lowering.integers([-1, ...rest])] });
    } else if (rest) {
      const batch = lowering.emit('Shape', [input], { start: 0, end: 1 });
      const shape = lowering.emit('Concat', [batch, lowering.integers(rest)], { axis: 0 });
      lowering.nodes.push({ ...node, input: [node.input[0] ?? '', shape] });
    } else {
      lowering.nodes.push(node);
    }
  }
}

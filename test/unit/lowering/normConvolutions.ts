import type { GraphBuilder } from '../../../src/ml/graph/graph.ts';
import { writeOnnx } from '../../../src/ml/lowering/writeOnnx.ts';
import { gradientStep } from '../../../src/ml/passes/trainingStep.ts';
import { around } from '../engine/around.ts';
import { blocksFor } from '../engine/blockedFormsEngine.ts';

/** Of one block. */
export const channels = 16;

/** How many convolutions compute the gradients of each of these batch norms in blocks, sums of products among them. */
export function convolutionsOfNorms(
  build: (b: GraphBuilder, x: string) => string,
  size: number,
  norms: readonly string[],
): number[] {
  const forward = around(build, { batchNorm: 'batch', shape: [1, channels, size, size] });
  const graph = gradientStep(forward, { trainable: new Set(forward.parameters) });
  const assign = blocksFor();
  const blockedKernels = assign(graph, channels).kernels;
  const { node } = writeOnnx(graph, { constants: new Map(), block: channels, assign, blockedKernels }).graph;
  return norms.map((norm) => {
    const place = `${norm}:backward:batchNormTrainingGradient`;
    return node.filter(({ opType, name = '' }) => opType === 'Conv' && name.startsWith(place)).length;
  });
}

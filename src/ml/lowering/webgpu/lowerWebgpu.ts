import type { Node, NodeOf } from '../../graph/graph.ts';
import type { Lowering } from '../lowering.ts';
import { lowerWebgpuBatchNorm, lowerWebgpuBatchNormGradient } from './webgpuBatchNorm.ts';
import { lowerWebgpuWeightGradient } from './webgpuWeightGradient.ts';

/*
 * What WebGPU's operators need written differently. Its matrix product gives a workgroup 32 by 32 of the results and has
 * it walk the whole inner dimension, so a product of few results leaves a graphics card idle; its reductions begin with
 * a transpose where channels lie last, as they do there; and each operator costs the processor 30 microseconds, however
 * small its tensors. Figures are in bench/NOTES.md.
 */

/** Appends a node's operators where WebGPU needs others than the CPU; false for all other nodes. */
export function lowerWebgpuNode(lowering: Lowering, node: Node): boolean {
  switch (node.op) {
    case 'conv2dWeightGradient':
      if (node.groups !== 1) return false;
      lowerWebgpuWeightGradient(lowering, node);
      return true;
    case 'batchNormTraining':
      lowerWebgpuBatchNorm(lowering, node);
      return true;
    case 'batchNormTrainingGradient':
      lowerWebgpuBatchNormGradient(lowering, node);
      return true;
    case 'logSoftmax':
      lowerLogSoftmax(lowering, node);
      return true;
    case 'runningAverage':
      // All together at the step's end; see lowerRunningAverages.
      return true;
    default:
      return false;
  }
}

/** WebGPU lacks it: x - max - log(sum(exp(x - max))), by row. */
function lowerLogSoftmax({ emit, integers }: Lowering, node: NodeOf<'logSoftmax'>): void {
  const [x = ''] = node.inputs;
  const shifted = emit('Sub', [x, emit('ReduceMax', [x], { axes: [1], keepdims: 1 })]);
  const sum = emit('ReduceSum', [emit('Exp', [shifted]), integers([1])], { keepdims: 1 });
  emit('Sub', [shifted, emit('Log', [sum])], {}, node.outputs[0]);
}

import { imageShape } from '../../graph/builder.ts';
import { floats } from '../../graph/graph.ts';
import { blocked } from '../../lowering/blocked/blockedLayout.ts';
import { blockedSums } from '../../lowering/blocked/blockedSums.ts';
import { channelSum } from '../../lowering/channelSum.ts';
import { trainingOperator, type None } from '../operator.ts';

/** dy `[N, C, ...]` -> sum over all axes but 1, `[C]` */
export const biasGradient = trainingOperator<None>('biasGradient', {
  shape: ([dy]) => [floats([dy?.shape[1] ?? 1])],
  onnx(lowering, { inputs: [dy = ''], outputs }) {
    channelSum(lowering, dy, lowering.typeOf(dy).shape, outputs[0]);
  },
  blocked(lowering, { inputs: [dy = ''], outputs }) {
    blockedSums(lowering, blocked(lowering, dy), imageShape(lowering.graph, dy), outputs[0]);
    return true;
  },
});

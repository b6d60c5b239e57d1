import { imageShape } from '../../graph/builder.ts';
import { floats, typeOf } from '../../graph/graph.ts';
import { plainFromHeld } from '../../lowering/blocked/blockedLayout.ts';
import { withDeferredScale } from '../../lowering/blocked/deferredScale.ts';
import { withRecomputed } from '../../lowering/blocked/recompute.ts';
import type { Lowering } from '../../lowering/lowering.ts';
import { trainingOperator } from '../operator.ts';
import { depthwiseOverImages, lowerBlockedWeightGradient } from './blockedWeightGradient.ts';
import { reachesOverImages } from './depthwiseOverImages.ts';
import { columnsOf } from './doubleColumns.ts';
import { coloursOf, isDepthwise, productsOf } from './productsOf.ts';
import { lowerWebgpuDepthwiseGradient, lowerWebgpuWeightGradient } from './webgpuWeightGradient.ts';
import { lowerWeightGradient, type WeightGradient, type WeightGradientNode } from './weightGradientForms.ts';

/** x, dy -> dweight of shape `weightShape` */
export const conv2dWeightGradient = trainingOperator<WeightGradient>('conv2dWeightGradient', {
  shape: (_, { weightShape }) => [floats(weightShape, 'kernel')],
  scalable: { image: ({ inputs }) => inputs[1] ?? '', weight: ({ outputs }) => outputs[0] ?? '' },
  onnx(lowering, node) {
    const { inputs, attributes } = node;
    const { weightShape, groups } = attributes;
    if (reachesOverImages(lowering, inputs[0] ?? '', weightShape, groups)) depthwiseOverImages(lowering, node);
    else lowerWeightGradient(lowering, node);
  },
  blocked(lowering, node) {
    const [x = '', dy = ''] = node.inputs;
    withRecomputed(lowering, x, dy, () => {
      lowerBlocked(lowering, node);
    });
    return true;
  },
  suitsBlocks: (_, { attributes: { groups, weightShape } }) => groups === 1 || isDepthwise(weightShape, groups),
  takesPlain: coloursOf,
  multiplications: ({ graph }, { inputs: [, dy = ''], attributes: { weightShape, groups } }) =>
    productsOf(typeOf(graph, dy).shape, weightShape, groups),
  webgpu(lowering, node) {
    const { groups, weightShape } = node.attributes;
    if (groups === 1) lowerWebgpuWeightGradient(lowering, node);
    else if (isDepthwise(weightShape, groups)) lowerWebgpuDepthwiseGradient(lowering, node);
    else return false;
    return true;
  },
  double: lowerDouble,
});

/** The blocked forms make the gradient in the order of blocks; the model may hold its weights in torch's. */
function lowerBlocked(lowering: Lowering, node: WeightGradientNode): void {
  const weight = lowering.producers.get(node.gradientOf ?? '')?.inputs[1] ?? '';
  if (lowering.kernels.has(weight)) {
    lowerHeld(lowering, node);
    return;
  }
  const [output = ''] = node.outputs;
  const held = `${output} in blocks`;
  lowerHeld(lowering, { ...node, outputs: [held] });
  plainFromHeld(lowering, held, node.attributes.weightShape, output);
}

function lowerHeld(lowering: Lowering, node: WeightGradientNode): void {
  const [, image = ''] = node.inputs;
  const [output = ''] = node.outputs;
  if (!lowering.factors.has(image)) {
    lowerBlockedWeightGradient(lowering, node);
    return;
  }
  const share = `${output} without factor`;
  lowerBlockedWeightGradient(lowering, { ...node, outputs: [share] });
  withDeferredScale(lowering, share, { image, shape: node.attributes.weightShape, output });
}

/** In float64: products of dy and what the kernel's taps see of x, summed over the images. */
function lowerDouble(lowering: Lowering, { inputs, attributes, outputs }: WeightGradientNode): void {
  const { emit, integers } = lowering;
  const [x = '', dy = ''] = inputs;
  const { weightShape, groups } = attributes;
  const [filters = 1, perGroup = 1, kh = 1, kw = 1] = weightShape;
  const [n, , outHeight, outWidth] = imageShape(lowering.graph, dy);
  const columns = columnsOf(lowering, x, [kh, kw], attributes, [outHeight, outWidth]);
  const rows = emit('Reshape', [dy, integers([n, groups, filters / groups, outHeight * outWidth])]);
  const products = emit('MatMul', [rows, emit('Transpose', [columns], { perm: [0, 1, 3, 2] })]);
  const sum = emit('ReduceSum', [products, integers([0])], { keepdims: 0 });
  const tapsFirst = emit('Reshape', [sum, integers([filters, kh, kw, perGroup])]);
  emit('Transpose', [tapsFirst], { perm: [0, 3, 1, 2] }, outputs[0]);
}

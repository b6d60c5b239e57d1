import { append, sizesOfImage } from '../../graph/builder.ts';
import { floats, type GraphBuilder } from '../../graph/graph.ts';
import { blocked } from '../../lowering/blocked/blockedLayout.ts';
import { blockedMeans } from '../../lowering/blocked/blockedSums.ts';
import { gradientBy, none, operator, shapeOf, trainingOperator, type None } from '../operator.ts';
import { sizesOf } from '../references.ts';
import { asImage } from '../tensorflow.ts';

/** x `[N, C, H, W]` -> y `[N, C]` */
export const globalAveragePoolOperator = operator<None>('globalAveragePool', {
  shape([image]) {
    const [n, c] = sizesOfImage(image);
    return [floats([n, c])];
  },
  gradient: (builder, node, dy) => {
    const inputShape = shapeOf(builder, node.inputs[0] ?? '');
    return gradientBy(builder, node, globalAveragePoolGradient, { inputShape }, [dy]);
  },
  onnx({ emit }, { inputs, outputs }) {
    emit('Flatten', [emit('GlobalAveragePool', inputs)], { axis: 1 }, outputs[0]);
  },
  blocked(lowering, { inputs: [x = ''], outputs }) {
    lowering.emit('Flatten', [blockedMeans(lowering, blocked(lowering, x))], { axis: 1 }, outputs[0]);
    return true;
  },
  double({ emit }, { inputs, outputs }) {
    emit('ReduceMean', inputs, { axes: [2, 3], keepdims: 0 }, outputs[0]);
  },
  tensorflow: (tf, input) => tf.mean(asImage(input(0)), [1, 2]),
  reference(input, { inputs }) {
    const [n, c, h, w] = sizesOf(inputs[0]);
    const x = input(0);
    return Float64Array.from(
      { length: n * c },
      (_, map) => x.slice(map * h * w, (map + 1) * h * w).reduce((sum, v) => sum + v, 0) / (h * w),
    );
  },
  samples: { 'a map': { attributes: none, inputs: [{ shape: [2, 4, 3, 5], axes: 'image' }] } },
});

/** dy `[N, C]` -> dx of shape `inputShape` */
export const globalAveragePoolGradient = trainingOperator<{ readonly inputShape: readonly number[] }>(
  'globalAveragePoolGradient',
  {
    shape: (_, { inputShape }) => [floats(inputShape, 'image')],
    onnx(lowering, { inputs, attributes: { inputShape }, outputs }) {
      const { emit, integers } = lowering;
      const [n = 1, channels = 1, height = 1, width = 1] = inputShape;
      const share = emit('Mul', [...inputs, lowering.floats([1 / (height * width)])]);
      const pixel = emit('Reshape', [share, integers([n, channels, 1, 1])]);
      emit('Expand', [pixel, integers(inputShape)], {}, outputs[0]);
    },
    blocked(lowering, { inputs, attributes: { inputShape }, outputs }) {
      const { emit, integers, block } = lowering;
      const [n = 1, channels = 1, height = 1, width = 1] = inputShape;
      const share = emit('Mul', [...inputs, lowering.floats([1 / (height * width)])]);
      const pixel = emit('Reshape', [share, integers([(n * channels) / block, 1, block])]);
      const map = emit('Expand', [pixel, integers([(n * channels) / block, height * width, block])]);
      emit('Reshape', [map, integers(inputShape)], {}, outputs[0]);
      return true;
    },
  },
);

/** Mean over the map: `[N, C, H, W]` -> `[N, C]`. */
export function globalAveragePool(builder: GraphBuilder, x: string): string {
  return append(builder, globalAveragePoolOperator, none, [x]);
}

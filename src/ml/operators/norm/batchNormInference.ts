import { appendAll, imageShape } from '../../graph/builder.ts';
import { floats, type Node } from '../../graph/graph.ts';
import { blocked } from '../../lowering/blocked/blockedLayout.ts';
import { blockedSums, blockedSumsOfProducts } from '../../lowering/blocked/blockedSums.ts';
import { affine } from '../../lowering/blocked/recompute.ts';
import { float, type Lowering } from '../../lowering/lowering.ts';
import { likeFirst, operator, trainingOperator, type SampleInput } from '../operator.ts';
import { at, perChannel, sizesOf } from '../references.ts';
import { asImage, asVector } from '../tensorflow.ts';
import { normInputs, type Epsilon } from './batchNormTraining.ts';
import { gradientSums, plainAffine } from './plainBatchNorm.ts';

/** x, weight, bias, running_mean, running_var -> y: a fixed affine per channel */
export const batchNormInference = operator<Epsilon>('batchNormInference', {
  shape: likeFirst,
  gradient(builder, { inputs, attributes: { epsilon } }, dy) {
    const [x = '', weight = '', bias = '', ...statistics] = inputs;
    const read = [dy, x, weight, ...statistics];
    const [dx = '', dweight = '', dbias = ''] = appendAll(builder, batchNormInferenceGradient, { epsilon }, read);
    return [
      [x, dx],
      [weight, dweight],
      [bias, dbias],
    ];
  },
  onnx({ emit }, { inputs, attributes, outputs }) {
    emit('BatchNormalization', inputs, { epsilon: float(attributes.epsilon) }, outputs[0]);
  },
  blocked(lowering, { inputs, attributes, outputs }) {
    const [x = '', weight = '', bias = '', mean = '', variance = ''] = inputs;
    const { emit } = lowering;
    const a = emit('Mul', [weight, inverseDeviationOf(lowering, attributes, variance)]);
    const b = emit('Sub', [bias, emit('Mul', [mean, a])]);
    const channels = imageShape(lowering.graph, x)[1];
    affine(lowering, { x: blocked(lowering, x), scale: a, shift: b, channels }, { output: outputs[0] });
    return true;
  },
  /** (x - running_mean) / sqrt(running_var + epsilon) * weight + bias */
  tensorflow(tf, input, { attributes }) {
    const [weight, bias, mean, variance] = [1, 2, 3, 4].map((index) => asVector(input(index)));
    if (!weight || !bias || !mean || !variance) throw new Error('batch norm without its parameters');
    return tf.batchNorm(asImage(input(0)), mean, variance, bias, weight, attributes.epsilon);
  },
  reference(input, { attributes, inputs }) {
    const deviation = (c: number) => Math.sqrt(at(input(4), c) + attributes.epsilon);
    return perChannel(
      input(0),
      sizesOf(inputs[0]),
      (v, c) => ((v - at(input(3), c)) / deviation(c)) * at(input(1), c) + at(input(2), c),
    );
  },
  samples: {
    'running statistics': {
      attributes: { epsilon: 1e-5 },
      inputs: [...normInputs([1, 4, 5, 7]), { shape: [4], fixed: true }, varianceInput(4)],
    },
  },
});

function varianceInput(channels: number): SampleInput {
  return { shape: [channels], fixed: true, value: (normal) => 0.5 + Math.abs(normal) };
}

/** dy, x, weight, running_mean, running_var -> dx, dweight, dbias, statistics held fixed */
export const batchNormInferenceGradient = trainingOperator<Epsilon>('batchNormInferenceGradient', {
  shape([, x, weight]) {
    const channels = floats(weight?.shape ?? []);
    return [floats(x?.shape ?? [], 'image'), channels, channels];
  },
  onnx(lowering, { inputs, attributes, outputs }) {
    const { emit, floats: constant } = lowering;
    const [dy = '', x = '', weight = '', mean = '', variance = ''] = inputs;
    const [dx, dweight, dbias] = outputs;
    const channels = lowering.typeOf(x).shape[1] ?? 1;
    const sums = gradientSums(lowering, dy, x);
    const inverseDeviation = inverseDeviationOf(lowering, attributes, variance);
    emit('Identity', [sums.sum], {}, dbias);
    emit('Mul', [emit('Sub', [sums.product, emit('Mul', [mean, sums.sum])]), inverseDeviation], {}, dweight);
    const zeros = constant(new Array<number>(channels).fill(0), [channels]);
    plainAffine(lowering, dy, emit('Mul', [weight, inverseDeviation]), zeros, channels, dx);
  },
  blocked(lowering, node) {
    lowerBlockedGradient(lowering, node);
    return true;
  },
});

function inverseDeviationOf(lowering: Lowering, { epsilon }: Epsilon, variance: string): string {
  const { emit, floats: constant } = lowering;
  return emit('Reciprocal', [emit('Sqrt', [emit('Add', [variance, constant([epsilon])])])]);
}

function lowerBlockedGradient(lowering: Lowering, { inputs, attributes, outputs }: Node<Epsilon>): void {
  const { emit } = lowering;
  const [incoming = '', input = '', weight = '', mean = '', variance = ''] = inputs;
  const [dx, dweight, dbias = ''] = outputs;
  const dy = blocked(lowering, incoming);
  const shape = imageShape(lowering.graph, input);
  const inverseDeviation = inverseDeviationOf(lowering, attributes, variance);
  blockedSums(lowering, dy, shape, dbias);
  const product = blockedSumsOfProducts(lowering, dy, blocked(lowering, input), shape);
  emit('Mul', [emit('Sub', [product, emit('Mul', [mean, dbias])]), inverseDeviation], {}, dweight);
  const [, channels] = shape;
  affine(lowering, { x: dy, scale: emit('Mul', [weight, inverseDeviation]), channels }, { output: dx });
}

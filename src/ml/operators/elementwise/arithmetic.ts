import { append } from '../../graph/builder.ts';
import type { GraphBuilder, Gradient, Node } from '../../graph/graph.ts';
import { passToSum } from '../../lowering/blocked/deferredMultiples.ts';
import type { Lowering } from '../../lowering/lowering.ts';
import { sumTo } from '../reduce/reduceSum.ts';
import { none, operator, type None, type OperatorRecord, type Sample, type SampleInput } from '../operator.ts';
import type { DeviceTensor, TensorFlow } from '../tensorflow.ts';
import { affine } from './affine.ts';
import {
  broadcastShape,
  broadcastSuitsBlocks,
  broadcastTakesPlain,
  broadcastType,
  combineDoubles,
  lowerBlockedElementwise,
} from './broadcast.ts';

interface Arithmetic {
  /** ONNX's operator of the same meaning. */
  readonly onnx: string;
  readonly compute: (a: number, b: number) => number;
  readonly tensorflow: (tf: TensorFlow, a: DeviceTensor, b: DeviceTensor) => DeviceTensor;
  /** The gradients by both inputs, before they are summed over what was broadcast. */
  readonly gradients: readonly [by: PartialGradient, by: PartialGradient];
  readonly smooth?: (a: number, b: number, margin: number) => boolean;
  /** See `LoweredOperator`. */
  readonly passMultiples?: (lowering: Lowering, node: Node) => boolean;
  /** Draws the second input, if it must not be near zero. */
  readonly second?: (normal: number) => number;
}

type PartialGradient = (builder: GraphBuilder, dy: string, a: string, b: string) => string;

/** An operator on two values of one shape, or of shapes that broadcast. */
function arithmetic(name: string, rules: Arithmetic): OperatorRecord<None> {
  const { compute, smooth, passMultiples } = rules;
  const record = operator<None>(name, {
    shape: broadcastType,
    gradient(builder: GraphBuilder, { inputs }: Node, dy: string, needed) {
      const [a = '', b = ''] = inputs;
      const gradients: Gradient[] = [];
      inputs.forEach((value, index) => {
        const by = rules.gradients[index];
        if (by && needed(value)) gradients.push([value, sumTo(builder, by(builder, dy, a, b), value)]);
      });
      return gradients;
    },
    onnx({ emit }, { inputs, outputs }) {
      emit(rules.onnx, inputs, {}, outputs[0]);
    },
    suitsBlocks: broadcastSuitsBlocks,
    takesPlain: broadcastTakesPlain,
    blocked: (lowering, node) => lowerBlockedElementwise(lowering, node, rules.onnx),
    tensorflow: (tf, input) => rules.tensorflow(tf, input(0), input(1)),
    reference: (input, run) => combineDoubles(input, run, (a = NaN, b = NaN) => compute(a, b)),
    ...(passMultiples && { passMultiples }),
    ...(smooth && {
      smooth(input, run, margin) {
        let all = true;
        combineDoubles(input, run, (a = NaN, b = NaN) => {
          all &&= smooth(a, b, margin);
          return 0;
        });
        return all;
      },
    }),
    samples: samplesWith(rules.second),
  });
  return record;
}

function samplesWith(value: ((normal: number) => number) | undefined): Record<string, Sample<None>> {
  const second = (shape: readonly number[], axes: 'image' | 'plain' = 'plain'): SampleInput => ({
    shape,
    axes,
    ...(value && { value }),
  });
  const sample = (a: SampleInput, b: SampleInput) => ({ attributes: none, inputs: [a, b] });
  return {
    'equal shapes': sample({ shape: [3, 4] }, second([3, 4])),
    'a vector along the last axis': sample({ shape: [2, 3, 4] }, second([4])),
    'both broadcast': sample({ shape: [3, 1, 2] }, second([4, 1])),
    'a value a channel': sample({ shape: [2, 3, 4, 5], axes: 'image' }, second([1, 3, 1, 1], 'image')),
    'a value a channel of each image': sample({ shape: [2, 3, 4, 5], axes: 'image' }, second([2, 3, 1, 1], 'image')),
  };
}

/** a, b -> a + b */
export const addOperator = arithmetic('add', {
  onnx: 'Add',
  compute: (a, b) => a + b,
  tensorflow: (tf, a, b) => tf.add(a, b),
  gradients: [(_, dy) => dy, (_, dy) => dy],
  passMultiples: passToSum,
});

/** a, b -> a - b */
export const subOperator = arithmetic('sub', {
  onnx: 'Sub',
  compute: (a, b) => a - b,
  tensorflow: (tf, a, b) => tf.sub(a, b),
  gradients: [(_, dy) => dy, (builder, dy) => affine(builder, dy, { scale: -1 })],
});

/** a, b -> a * b */
export const mulOperator = arithmetic('mul', {
  onnx: 'Mul',
  compute: (a, b) => a * b,
  tensorflow: (tf, a, b) => tf.mul(a, b),
  gradients: [(builder, dy, _, b) => mul(builder, dy, b), (builder, dy, a) => mul(builder, dy, a)],
});

/** a, b -> a / b */
export const divOperator = arithmetic('div', {
  onnx: 'Div',
  compute: (a, b) => a / b,
  tensorflow: (tf, a, b) => tf.div(a, b),
  gradients: [
    (builder, dy, _, b) => div(builder, dy, b),
    (builder, dy, a, b) => affine(builder, div(builder, mul(builder, dy, a), mul(builder, b, b)), { scale: -1 }),
  ],
  second: (normal) => (normal < 0 ? normal - 0.5 : normal + 0.5),
});

/** a, b -> the larger; where both are equal each has half of the gradient, as in torch. */
export const maxOperator = arithmetic('max', {
  onnx: 'Max',
  compute: (a, b) => Math.max(a, b),
  tensorflow(tf, a, b) {
    // TensorFlow.js does not sum this gradient over what was broadcast.
    const shape = [...broadcastShape([a.shape, b.shape])];
    return tf.maximum(tf.broadcastTo(a, shape), tf.broadcastTo(b, shape));
  },
  gradients: [
    (builder, dy, a, b) => mul(builder, dy, shareOf(builder, a, b)),
    (builder, dy, a, b) => mul(builder, dy, shareOf(builder, b, a)),
  ],
  smooth: (a, b, margin) => Math.abs(a - b) > margin,
});

/** 1 where `value` is larger, 1/2 where both are equal, else 0. */
function shareOf(builder: GraphBuilder, value: string, other: string): string {
  const larger = compare(builder, value, other, 'greater');
  return affine(builder, add(builder, larger, compare(builder, value, other, 'greaterOrEqual')), { scale: 0.5 });
}

/** How two values are compared. */
export type Relation = 'greater' | 'greaterOrEqual' | 'equal';

const relations = {
  greater: { onnx: 'Greater', holds: (a: number, b: number) => a > b, tensorflow: 'greater' },
  greaterOrEqual: { onnx: 'GreaterOrEqual', holds: (a: number, b: number) => a >= b, tensorflow: 'greaterEqual' },
  equal: { onnx: 'Equal', holds: (a: number, b: number) => a === b, tensorflow: 'equal' },
} as const;

/** a, b -> 1 where the relation holds, else 0, as float32. Nothing passes its gradient. */
export const compareOperator = operator<{ readonly relation: Relation }>('compare', {
  shape: broadcastType,
  gradient: () => [],
  onnx({ emit, floatType }, { inputs, attributes, outputs }) {
    emit('Cast', [emit(relations[attributes.relation].onnx, inputs)], { to: floatType }, outputs[0]);
  },
  tensorflow(tf, input, { attributes }) {
    const holds = tf[relations[attributes.relation].tensorflow];
    const [a, b] = [input(0), input(1)];
    // TensorFlow.js has no gradient of comparisons, not even zero.
    const compared = tf.customGrad(() => ({
      value: tf.cast(holds(a, b), 'float32'),
      gradFunc: () => [tf.zerosLike(a), tf.zerosLike(b)],
    }));
    return compared(a, b);
  },
  reference: (input, run) =>
    combineDoubles(input, run, (a = NaN, b = NaN) => (relations[run.attributes.relation].holds(a, b) ? 1 : 0)),
  samples: {
    greater: {
      attributes: { relation: 'greater' },
      inputs: [
        { shape: [3, 4], fixed: true },
        { shape: [4], fixed: true },
      ],
    },
    equal: {
      attributes: { relation: 'equal' },
      inputs: [
        { shape: [3, 4], fixed: true, value: Math.round },
        { shape: [4], fixed: true, value: Math.round },
      ],
    },
    'greater or equal': {
      attributes: { relation: 'greaterOrEqual' },
      inputs: [
        { shape: [3, 4], fixed: true, value: Math.round },
        { shape: [4], fixed: true, value: Math.round },
      ],
    },
  },
});

/** mask of 0 and 1, a, b -> a where the mask is 1, else b */
export const selectOperator = operator<None>('select', {
  shape: broadcastType,
  gradient(builder, { inputs }, dy, needed) {
    const [mask = '', a = '', b = ''] = inputs;
    const gradients: Gradient[] = [];
    if (needed(a)) gradients.push([a, sumTo(builder, mul(builder, dy, mask), a)]);
    const rest = () => affine(builder, mask, { scale: -1, shift: 1 });
    if (needed(b)) gradients.push([b, sumTo(builder, mul(builder, dy, rest()), b)]);
    return gradients;
  },
  onnx({ emit }, { inputs: [mask = '', a = '', b = ''], outputs }) {
    emit('Where', [emit('Cast', [mask], { to: onnxBool }), a, b], {}, outputs[0]);
  },
  tensorflow(tf, input) {
    // Written so that both sides broadcast and differentiate.
    const mask = input(0);
    return tf.add(tf.mul(mask, input(1)), tf.mul(tf.sub(tf.scalar(1), mask), input(2)));
  },
  reference: (input, run) => combineDoubles(input, run, (mask = NaN, a = NaN, b = NaN) => (mask === 1 ? a : b)),
  samples: {
    'a mask that broadcasts': {
      attributes: none,
      inputs: [
        { shape: [4], fixed: true, value: (normal) => (normal > 0 ? 1 : 0) },
        { shape: [3, 4] },
        { shape: [3, 1] },
      ],
    },
  },
});

/** ONNX's number for the type of truth values. */
const onnxBool = 9;

/** a + b, of one shape or of shapes that broadcast. */
export function add(builder: GraphBuilder, a: string, b: string): string {
  return append(builder, addOperator, none, [a, b]);
}

/** a - b, of one shape or of shapes that broadcast. */
export function sub(builder: GraphBuilder, a: string, b: string): string {
  return append(builder, subOperator, none, [a, b]);
}

/** a * b, of one shape or of shapes that broadcast. */
export function mul(builder: GraphBuilder, a: string, b: string): string {
  return append(builder, mulOperator, none, [a, b]);
}

/** a / b, of one shape or of shapes that broadcast. */
export function div(builder: GraphBuilder, a: string, b: string): string {
  return append(builder, divOperator, none, [a, b]);
}

/** The larger of a and b. */
export function max(builder: GraphBuilder, a: string, b: string): string {
  return append(builder, maxOperator, none, [a, b]);
}

/** 1 where `a` stands in the relation to `b`, else 0. */
export function compare(builder: GraphBuilder, a: string, b: string, relation: Relation): string {
  return append(builder, compareOperator, { relation }, [a, b]);
}

/** `a` where the mask is 1, else `b`. */
export function select(builder: GraphBuilder, mask: string, a: string, b: string): string {
  return append(builder, selectOperator, none, [mask, a, b]);
}

import { placeName } from '../../graph/nodePlaces.ts';
import { postpone, type LowerTogether, type Lowering, type PlacedNode } from '../../lowering/lowering.ts';
import { splitRow } from '../../lowering/splitRow.ts';
import { likeFirst, operator } from '../operator.ts';
import { at } from '../references.ts';

export interface Momentum {
  readonly momentum: number;
}

/** running, batch statistic -> (1 - momentum) * running + momentum * batch, both `[C]` */
export const runningAverage = operator<Momentum>('runningAverage', {
  living: true,
  shape: likeFirst,
  onnx({ emit, floats }, { inputs: [running = '', batch = ''], attributes: { momentum }, outputs }) {
    const kept = emit('Mul', [running, floats([1 - momentum])]);
    emit('Add', [kept, emit('Mul', [batch, floats([momentum])])], {}, outputs[0]);
  },
  webgpu(lowering, node) {
    postpone(lowering, allAverages, node);
    return true;
  },
  tensorflow: (tf, input, { attributes: { momentum } }) =>
    tf.add(tf.mul(input(0), tf.scalar(1 - momentum)), tf.mul(input(1), tf.scalar(momentum))),
  reference: (input, { attributes: { momentum } }) =>
    input(0).map((value, index) => (1 - momentum) * value + momentum * at(input(1), index)),
  samples: { statistics: { attributes: { momentum: 0.1 }, inputs: [{ shape: [5] }, { shape: [5] }] } },
});

/** All running averages of a step, because each operator has its price on WebGPU. */
const allAverages: LowerTogether<Momentum> = { together: lowerTogether };

function lowerTogether(lowering: Lowering, placed: readonly PlacedNode<Momentum>[]): void {
  const { emit, floats } = lowering;
  for (const momentum of new Set(placed.map(({ node }) => node.attributes.momentum))) {
    const joined = placed.map(({ node }) => node).filter(({ attributes }) => attributes.momentum === momentum);
    lowering.place = placeName(runningAverage.name, { layer: 'joined', phase: 'forward' });
    const row = (index: 0 | 1) =>
      emit(
        'Concat',
        joined.map(({ inputs }) => inputs[index] ?? ''),
        { axis: 0 },
      );
    const kept = emit('Mul', [row(0), floats([1 - momentum])]);
    const next = emit('Add', [kept, emit('Mul', [row(1), floats([momentum])])]);
    const sizes = joined.map(({ inputs }) => lowering.typeOf(inputs[0] ?? '').shape[0] ?? 0);
    const outputs = joined.map((node) => node.outputs[0] ?? '');
    splitRow(lowering, next, sizes, outputs);
  }
}

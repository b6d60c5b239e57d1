import { appendAll, createGraphBuilder, finishGraph, input, parameter } from '../../../src/ml/graph/builder.ts';
import { typeOf, type Graph } from '../../../src/ml/graph/graph.ts';
import type { Random } from '../../../src/ml/graph/random.ts';
import { elementCount, float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { blockableNodes } from '../../../src/ml/lowering/blocked/assignLayouts.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { flatten, reshape } from '../../../src/ml/operators/movement/reshape.ts';
import type { OperatorRecord, Sample, SampleInput } from '../../../src/ml/operators/operator.ts';
import { conditionedValues, isSmooth } from '../engine/checkGradients.ts';
import { randomValues } from '../engine/graphValues.ts';

function declareInputs({ inputs }: Sample<unknown>, allFed: boolean) {
  const builder = createGraphBuilder();
  const names = inputs.map(({ shape, axes = 'plain', dtype, fixed }, index) =>
    allFed || fixed
      ? input(builder, `fed${index}`, shape, dtype ?? 'float32', axes)
      : parameter(builder, `learned${index}`, shape, axes),
  );
  return { builder, names };
}

/** The operator alone: all of its inputs are fed, and all of its outputs come out. */
export function forwardNetwork(record: OperatorRecord, sample: Sample<unknown>): Graph {
  const { builder, names } = declareInputs(sample, true);
  return finishGraph(builder, appendAll(builder, record, sample.attributes, names));
}

/** The operator over parameters, and a classifier behind its first output, so that its gradients reach them. */
export function gradientNetwork(record: OperatorRecord, sample: Sample<unknown>): Graph {
  const { builder, names } = declareInputs(sample, false);
  const [y = ''] = appendAll(builder, record, sample.attributes, names);
  const { shape } = typeOf(builder, y);
  const row = shape.length < 2 ? reshape(builder, y, [1, elementCount(shape)]) : flatten(builder, y);
  return finishGraph(builder, [logSoftmax(builder, linear(builder, 'behind', row, 3))]);
}

/**
 * The operator over images of so many channels that the CPU's blocks of 8 or 16 hold them, and a convolution between it
 * and the classifier. Undefined if the sample has kernels, or if the operator then has no form for blocks.
 */
export function blockedNetwork(record: OperatorRecord, sample: Sample<unknown>): BlockedNetwork | undefined {
  if (!('blocked' in record) || sample.inputs.some(({ axes }) => axes === 'kernel')) return undefined;
  const image = sample.inputs.find(({ axes }) => axes === 'image');
  const channels = image?.shape[1] ?? 0;
  const wide = sample.inputs.map((each) => ({
    ...each,
    shape: each.shape.map((size, axis) =>
      (each.axes === 'image' && axis === 1 && size > 1) || (each.shape.length === 1 && size === channels)
        ? size * mostChannelsOfBlock
        : size,
    ),
  }));
  const widened = { ...sample, inputs: wide };
  const { builder, names } = declareInputs(widened, false);
  const [y = ''] = appendAll(builder, record, sample.attributes, names);
  const isImage = typeOf(builder, y).axes === 'image';
  const map = isImage ? conv2d(builder, 'between', y, { channels: mostChannelsOfBlock, kernel: 1 }) : y;
  const graph = finishGraph(builder, [logSoftmax(builder, linear(builder, 'behind', flatten(builder, map), 3))]);
  const isBlocked = blockableNodes(graph, mostChannelsOfBlock).some(({ operator }) => operator.name === record.name);
  return isBlocked ? { graph, sample: widened } : undefined;
}

interface BlockedNetwork {
  readonly graph: Graph;
  readonly sample: Sample<unknown>;
}

/** Channels of a block with AVX-512. */
const mostChannelsOfBlock = 16;

/** Random values for a sample's network: each input as the sample draws it. */
export function sampleValues(graph: Graph, sample: Sample<unknown>, random: Random): Map<string, Tensor> {
  const draw = () => {
    const values = randomValues(graph, random);
    sample.inputs.forEach((each, index) => {
      const name = [`fed${index}`, `learned${index}`].find((known) => values.has(known));
      if (name !== undefined && each.dtype === undefined) values.set(name, drawn(each, random));
    });
    return values;
  };
  return conditionedValues(graph, draw, (all) => isSmooth(graph, all));
}

function drawn({ shape, value = (normal) => normal }: SampleInput, random: Random): Tensor {
  return float32Tensor(
    shape,
    Float32Array.from({ length: elementCount(shape) }, () => value(random.normal())),
  );
}

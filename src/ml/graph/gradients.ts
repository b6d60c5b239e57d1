import { append, imageShape, type GraphBuilder } from './builder.ts';
import { typeOf, type Node, type NodeOf, type Operator } from './graph.ts';

type Gradients = [value: string, gradient: string][];
type Needed = (value: string) => boolean;

/**
 * The gradients by those inputs of a node that are needed, given the gradient by its first output: appends the
 * operators that compute them. Throws for an operator that cannot be differentiated.
 */
export function gradientsOf(builder: GraphBuilder, node: Node, dy: string, needed: Needed): Gradients {
  const shapeOf = (value: string) => typeOf(builder, value).shape;
  const one = (operator: Operator, inputs: readonly string[], shape: readonly number[]) =>
    append(builder, operator, inputs, [shape])[0];
  const [x = '', second = ''] = node.inputs;
  const [y = ''] = node.outputs;
  switch (node.op) {
    case 'conv2d':
      return convolutionGradients(builder, node, dy, needed);
    case 'batchNormTraining':
    case 'batchNormInference':
      return batchNormGradients(builder, node, dy);
    case 'relu':
      return [[x, one({ op: 'reluGradient' }, [dy, y], shapeOf(x))]];
    case 'maxPool':
      return [[x, one({ ...node, op: 'maxPoolGradient' }, [dy, x, y], shapeOf(x))]];
    case 'averagePool':
      return [[x, one({ ...node, op: 'averagePoolGradient', inputShape: shapeOf(x) }, [dy], shapeOf(x))]];
    case 'globalAveragePool':
      return [[x, one({ op: 'globalAveragePoolGradient', inputShape: shapeOf(x) }, [dy], shapeOf(x))]];
    case 'concat':
      return concatGradients(builder, node, dy, needed);
    case 'add':
      return node.inputs.filter(needed).map((value) => [value, dy]);
    case 'flatten':
      return [[x, one({ op: 'reshape', shape: shapeOf(x) }, [dy], shapeOf(x))]];
    case 'linear':
      return linearGradients(builder, node, dy, needed);
    case 'dropout':
      return [[x, one({ op: 'dropout', rate: node.rate }, [dy, second], shapeOf(x))]];
    default:
      throw new Error(`${node.op} has no gradient`);
  }
}

function convolutionGradients(builder: GraphBuilder, node: NodeOf<'conv2d'>, dy: string, needed: Needed): Gradients {
  const { stride, padding, dilation, groups } = node;
  const geometry = { stride, padding, dilation, groups };
  const [x = '', weight = '', bias] = node.inputs;
  const weightShape = typeOf(builder, weight).shape;
  const gradients: Gradients = [];
  if (needed(weight)) {
    const operator = { op: 'conv2dWeightGradient', weightShape, ...geometry } as const;
    gradients.push([weight, append(builder, operator, [x, dy], [weightShape])[0]]);
  }
  if (bias !== undefined && needed(bias)) {
    gradients.push([bias, append(builder, { op: 'sumPerChannel' }, [dy], [typeOf(builder, bias).shape])[0]]);
  }
  if (needed(x)) {
    const inputShape = imageShape(builder, x);
    const operator = { op: 'conv2dInputGradient', inputShape, ...geometry } as const;
    gradients.push([x, append(builder, operator, [weight, dy], [inputShape])[0]]);
  }
  return gradients;
}

function batchNormGradients(
  builder: GraphBuilder,
  node: NodeOf<'batchNormTraining'> | NodeOf<'batchNormInference'>,
  dy: string,
): Gradients {
  const [x = '', weight = '', bias = '', runningMean = '', runningVariance = ''] = node.inputs;
  const [, mean = '', inverseDeviation = ''] = node.outputs;
  const shape = typeOf(builder, x).shape;
  const channels = typeOf(builder, weight).shape;
  const [dx, dweight, dbias] =
    node.op === 'batchNormTraining'
      ? append(builder, { op: 'batchNormTrainingGradient' }, [dy, x, weight, mean, inverseDeviation], [
          shape,
          channels,
          channels,
        ] as const)
      : append(
          builder,
          { op: 'batchNormInferenceGradient', epsilon: node.epsilon },
          [dy, x, weight, runningMean, runningVariance],
          [shape, channels, channels] as const,
        );
  return [
    [x, dx],
    [weight, dweight],
    [bias, dbias],
  ];
}

function concatGradients(builder: GraphBuilder, node: NodeOf<'concat'>, dy: string, needed: Needed): Gradients {
  const gradients: Gradients = [];
  let start = 0;
  for (const value of node.inputs) {
    const shape = imageShape(builder, value);
    const end = start + shape[1];
    if (needed(value)) gradients.push([value, append(builder, { op: 'sliceChannels', start, end }, [dy], [shape])[0]]);
    start = end;
  }
  return gradients;
}

function linearGradients(builder: GraphBuilder, node: NodeOf<'linear'>, dy: string, needed: Needed): Gradients {
  const [x = '', weight = '', bias] = node.inputs;
  const shapeOf = (value: string) => typeOf(builder, value).shape;
  const gradients: Gradients = [];
  if (needed(weight)) {
    gradients.push([weight, append(builder, { op: 'linearWeightGradient' }, [x, dy], [shapeOf(weight)])[0]]);
  }
  if (bias !== undefined && needed(bias)) {
    gradients.push([bias, append(builder, { op: 'sumPerChannel' }, [dy], [shapeOf(bias)])[0]]);
  }
  if (needed(x)) {
    gradients.push([x, append(builder, { op: 'linearInputGradient' }, [dy, weight], [shapeOf(x)])[0]]);
  }
  return gradients;
}

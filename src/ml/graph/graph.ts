import type { DataType } from './tensor.ts';

/** What a value of a graph holds. All shapes are static; images are `[N, C, H, W]`. */
export interface TensorType {
  readonly dtype: DataType;
  readonly shape: readonly number[];
}

export type Pair = readonly [vertical: number, horizontal: number];

/** Geometry of a convolution, as in torch's Conv2d. Padding is symmetric. */
export interface Convolution {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
}

/** Geometry of a pooling window, as in torch's MaxPool2d and AvgPool2d. */
export interface Pooling {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  /** Rounds the output size up instead of down (SqueezeNet). */
  readonly ceilMode: boolean;
}

/**
 * Every operator of the intermediate form, with its attributes. Inputs and outputs are named in the comments, in order.
 * The first part is what networks are made of; the second appears only after `differentiate` and the optimizers.
 */
export type Operator =
  /** image, weight `[O, I/groups, kH, kW]`, bias? -> map */
  | ({ readonly op: 'conv2d' } & Convolution)
  /** x, weight, bias, running_mean, running_var -> y: a fixed affine per channel */
  | { readonly op: 'batchNormInference'; readonly epsilon: number }
  /** x, weight, bias -> y, mean, inverse standard deviation, unbiased variance; the last three `[C]`, of this batch */
  | { readonly op: 'batchNormTraining'; readonly epsilon: number }
  /** x -> y */
  | { readonly op: 'relu' }
  /** x -> y */
  | ({ readonly op: 'maxPool' } & Pooling)
  /** x -> y; padding counts as zeros, as torch's `count_include_pad` default */
  | ({ readonly op: 'averagePool' } & Pooling)
  /** x `[N, C, H, W]` -> y `[N, C]` */
  | { readonly op: 'globalAveragePool' }
  /** a, b, ... -> y, joined along channels (axis 1) */
  | { readonly op: 'concat' }
  /** a, b -> a + b, equal shapes */
  | { readonly op: 'add' }
  /** x `[N, ...]` -> y `[N, product]` */
  | { readonly op: 'flatten' }
  /** x `[N, in]`, weight `[out, in]`, bias? `[out]` -> y `[N, out]` */
  | { readonly op: 'linear' }
  /** x, mask -> x * mask; the mask is an input that holds 0 or 1 / (1 - rate); left out of inference graphs */
  | { readonly op: 'dropout'; readonly rate: number }
  /** x `[N, C]` -> log-probabilities `[N, C]` */
  | { readonly op: 'logSoftmax' }
  /** images uint8 `[N, C, H, W]` -> float32: image * scale[c] + shift[c], in channel order `order` */
  | {
      readonly op: 'normalize';
      readonly scale: readonly number[];
      readonly shift: readonly number[];
      readonly order: readonly number[];
    }
  | TrainingOperator;

export type TrainingOperator =
  /** log-probabilities `[N, C]`, targets `[N, C]` -> loss `[]` = -sum(targets * log-probabilities); torch's mean is in the targets */
  | { readonly op: 'negativeLogLikelihood' }
  /** log-probabilities, targets -> gradient of that loss by the logits `[N, C]` */
  | { readonly op: 'logSoftmaxLossGradient' }
  /** weight, dy -> dx of shape `inputShape` */
  | ({ readonly op: 'conv2dInputGradient'; readonly inputShape: readonly number[] } & Convolution)
  /** x, dy -> dweight of shape `weightShape` */
  | ({ readonly op: 'conv2dWeightGradient'; readonly weightShape: readonly number[] } & Convolution)
  /** dy `[N, C, ...]` -> sum over all axes but 1, `[C]` */
  | { readonly op: 'sumPerChannel' }
  /** dy, x, weight, mean, inverse standard deviation -> dx, dweight, dbias, through the batch's own statistics */
  | { readonly op: 'batchNormTrainingGradient' }
  /** dy, x, weight, running_mean, running_var -> dx, dweight, dbias, statistics held fixed */
  | { readonly op: 'batchNormInferenceGradient'; readonly epsilon: number }
  /** dy, y -> dy where y > 0, else 0 */
  | { readonly op: 'reluGradient' }
  /** dy, x, y -> dx; a tie gives the gradient once, to the first in scan order, as torch does */
  | ({ readonly op: 'maxPoolGradient' } & Pooling)
  /** dy -> dx of shape `inputShape` */
  | ({ readonly op: 'averagePoolGradient'; readonly inputShape: readonly number[] } & Pooling)
  /** dy `[N, C]` -> dx of shape `inputShape` */
  | { readonly op: 'globalAveragePoolGradient'; readonly inputShape: readonly number[] }
  /** y -> channels [start, end) of y */
  | { readonly op: 'sliceChannels'; readonly start: number; readonly end: number }
  /** dy -> dx of shape `shape` */
  | { readonly op: 'reshape'; readonly shape: readonly number[] }
  /** dy `[N, out]`, weight `[out, in]` -> dx `[N, in]` */
  | { readonly op: 'linearInputGradient' }
  /** x `[N, in]`, dy `[N, out]` -> dweight `[out, in]` */
  | { readonly op: 'linearWeightGradient' }
  /** running, batch statistic -> (1 - momentum) * running + momentum * batch, both `[C]` */
  | { readonly op: 'runningAverage'; readonly momentum: number }
  /** gradients... -> the same gradients, scaled so that their joint L2 norm is at most `limit` (torch's clip_grad_norm_) */
  | { readonly op: 'clipGradientNorm'; readonly limit: number }
  /** parameter, gradient, first moment, second moment, schedule `[4]` (see `optimizers.ts`) -> parameter, first, second */
  | {
      readonly op: 'adamUpdate';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
      /** AdamW: the decay acts on the parameter and not through the gradient. */
      readonly decoupled: boolean;
    }
  /** parameter, gradient, momentum buffer, schedule `[4]` -> parameter, momentum buffer */
  | { readonly op: 'sgdUpdate'; readonly momentum: number; readonly weightDecay: number };

export type Node = Operator & {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** In the backward pass: the first output of the node whose gradient this one helps to compute. */
  readonly gradientOf?: string;
};

export type OperatorName = Operator['op'];
export type NodeOf<Name extends OperatorName> = Extract<Operator, { op: Name }> &
  Pick<Node, 'inputs' | 'outputs' | 'gradientOf'>;

/**
 * A network, or a training step, as a list of operators in an order in which they can run.
 * Every value is a string; `types` knows them all. Parameters and buffers are named as in torch's state dict.
 */
export interface Graph {
  /** Fed at every run: images, targets, dropout masks, the optimizer's state. */
  readonly inputs: readonly string[];
  /** Learned tensors in torch's order (`named_parameters()`); they come from the state dict. */
  readonly parameters: readonly string[];
  /** Running statistics, likewise from the state dict. */
  readonly buffers: readonly string[];
  readonly nodes: readonly Node[];
  /** What a run gives back. */
  readonly outputs: readonly string[];
  /** Tensors of the state that a run replaces: name of the parameter, buffer or moment -> value that takes its place. */
  readonly updates: ReadonlyMap<string, string>;
  readonly types: ReadonlyMap<string, TensorType>;
}

/** The type of a value. Throws where the graph has no such value, which is a bug of the caller. */
export function typeOf(graph: Pick<Graph, 'types'>, value: string): TensorType {
  const type = graph.types.get(value);
  if (!type) throw new Error(`the graph has no value named ${value}`);
  return type;
}

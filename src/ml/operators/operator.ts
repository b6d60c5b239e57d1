import { append } from '../graph/builder.ts';
import type { GraphBuilder, Gradient, Node, Operator, TensorType } from '../graph/graph.ts';
import { typeOf } from '../graph/graph.ts';
import type { LoweredOperator } from '../lowering/loweredOperator.ts';
import type { DeviceTensor, TensorFlow } from './tensorflow.ts';

/** What a rule computes with, beside the values themselves. */
export interface Run<Attributes> {
  readonly attributes: Attributes;
  readonly inputs: readonly TensorType[];
  readonly outputs: readonly TensorType[];
}

/** A value in float64, in the order of its shape. */
export type Doubles = Float64Array;

/** What a sample case feeds to an operator. */
export interface SampleInput extends Pick<TensorType, 'shape'> {
  readonly axes?: TensorType['axes'];
  readonly dtype?: 'uint8' | 'int64';
  /** Draws a value from a standard normal number, where that is not what the operator takes. */
  readonly value?: (normal: number) => number;
  /** Set for what is fed and not differentiated, such as a mask. */
  readonly fixed?: true;
}

/** One case that the tests run by themselves: forward against the reference, and the gradients against its differences. */
export interface Sample<Attributes> {
  readonly attributes: Attributes;
  readonly inputs: readonly SampleInput[];
}

/**
 * All that is known of an operator, in one place. `graph` uses the shape rule and the gradient, `lowering` the ONNX
 * forms, the TensorFlow engine its rule, and the tests the reference with the samples.
 */
export interface OperatorRecord<Attributes = unknown> extends LoweredOperator<Attributes> {
  /**
   * The operator in TensorFlow.js operations that it can differentiate. Images are `[N, H, W, C]` there and kernels
   * `[kH, kW, I, O]` (see tensorflow.ts). Absent for operators of the backward pass: TensorFlow.js has its own.
   */
  tensorflow?(
    tf: TensorFlow,
    input: (index: number) => DeviceTensor,
    run: Run<Attributes>,
  ): DeviceTensor | readonly DeviceTensor[];
  /** The outputs in float64, straight from the definition and slowly: the yardstick in tests. */
  reference?(input: (index: number) => Doubles, run: Run<Attributes>): Doubles | readonly Doubles[];
  /** Whether no value is nearer than `margin` to where the slope changes at once; always if absent. */
  smooth?(input: (index: number) => Doubles, run: Run<Attributes>, margin: number): boolean;
  readonly samples?: Readonly<Record<string, Sample<Attributes>>>;
}

/** What an operator of networks must have beside its shape rule and its ONNX form. */
type ForwardRules<Attributes> = Omit<OperatorRecord<Attributes>, 'name' | 'tensorflow' | 'reference' | 'samples'> &
  Required<Pick<OperatorRecord<Attributes>, 'tensorflow' | 'reference' | 'samples'>>;

/** An operator of networks. `Attributes` is `None` if it has none. */
export function operator<Attributes>(name: string, rules: ForwardRules<Attributes>): OperatorRecord<Attributes> {
  return { name, ...rules };
}

/** An operator that only training steps contain: the backward pass, the loss and the optimizers. */
export function trainingOperator<Attributes>(
  name: string,
  rules: Omit<OperatorRecord<Attributes>, 'name' | 'tensorflow' | 'gradient'>,
): OperatorRecord<Attributes> {
  return { name, ...rules };
}

/** The attributes of an operator that has none. */
export type None = Readonly<Record<string, never>>;
export const none: None = {};

/** The shape rule of operators whose result is like their first input. */
export function likeFirst([first]: readonly TensorType[]): readonly TensorType[] {
  if (!first) throw new Error('an operator without inputs');
  return [first];
}

/** The gradient by a node's only differentiable input, by an operator that reads `inputs`. */
export function gradientBy<Attributes>(
  builder: GraphBuilder,
  node: Node,
  by: Operator<Attributes>,
  attributes: NoInfer<Attributes>,
  inputs: readonly string[],
): readonly Gradient[] {
  return [[node.inputs[0] ?? '', append(builder, by, attributes, inputs)]];
}

/** Shape of a value in a builder. */
export function shapeOf(builder: Pick<GraphBuilder, 'types'>, value: string): readonly number[] {
  return typeOf(builder, value).shape;
}

/** How TensorFlow.js computes an operator. Throws for what only training steps contain: TensorFlow.js differentiates by itself. */
export function tensorflowRule(operator: Operator): NonNullable<OperatorRecord['tensorflow']> {
  const { tensorflow } = operator as Partial<OperatorRecord>;
  if (!tensorflow) throw new Error(`the TensorFlow engine does not run ${operator.name}: it differentiates by itself`);
  return tensorflow;
}

import type { DataType } from './tensor.ts';

/**
 * What the axes of a value are. An `image` is a map `[N, C, H, W]`, a `kernel` a convolution's weight
 * `[O, I / groups, kH, kW]`; engines may hold both in an order of their own. Everything else is `plain` and lies in the
 * order of its shape: rows `[N, F]`, tokens `[N, T, D]`, vectors, attention scores.
 */
export type Axes = 'image' | 'kernel' | 'plain';

/** What a value of a graph holds. All shapes are static. */
export interface TensorType {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly axes: Axes;
}

/** A value and the gradient of the loss by it. */
export type Gradient = readonly [value: string, gradient: string];

/**
 * What a graph knows of an operator; `src/ml/operators` has a record of each. The methods take the attributes of the
 * record's own type.
 */
export interface Operator<Attributes = unknown> {
  readonly name: string;
  /** Where the operator belongs in a training step, if that does not follow from what it reads. */
  readonly phase?: 'backward' | 'update';
  /** Set for operators whose result depends on the whole batch, or changes what a run keeps: frozen layers are not cut behind them. */
  readonly living?: true;
  /** The types of the outputs. Throws if the inputs do not fit, which is a bug of the caller. */
  shape(inputs: readonly TensorType[], attributes: Attributes): readonly TensorType[];
  /**
   * Appends the operators that compute the gradients by those inputs that are `needed`, given the gradient by the first
   * output. Absent if the operator cannot be differentiated.
   */
  gradient?(
    builder: GraphBuilder,
    node: Node<Attributes>,
    dy: string,
    needed: (value: string) => boolean,
  ): readonly Gradient[];
}

/** One operator of a graph, with the values that it reads and makes. */
export interface Node<Attributes = unknown> {
  readonly operator: Operator<Attributes>;
  readonly attributes: Attributes;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** In the backward pass: the first output of the node whose gradient this one helps to compute. */
  readonly gradientOf?: string;
}

/** Whether a node is one of this operator; its attributes are then known. */
export function isNode<Attributes>(node: Node | undefined, operator: Operator<Attributes>): node is Node<Attributes> {
  return node?.operator === operator;
}

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

/** A graph in the making. Functions that append to it return the names of the values that they made. */
export interface GraphBuilder {
  readonly inputs: string[];
  readonly parameters: string[];
  readonly buffers: string[];
  readonly nodes: Node[];
  readonly updates: Map<string, string>;
  readonly types: Map<string, TensorType>;
  /** How batch norm computes: from its running statistics, or from the batch while it updates them. */
  readonly batchNorm: 'running' | 'batch';
  /** Rate of the dropout that a network has itself, from 0 to below 1, or `own` for the one that its definition has. */
  readonly dropout: number | 'own';
}

/** The type of a value. Throws if the graph has no such value, which is a bug of the caller. */
export function typeOf(graph: Pick<Graph, 'types'>, value: string): TensorType {
  const type = graph.types.get(value);
  if (!type) throw new Error(`the graph has no value named ${value}`);
  return type;
}

/** The type of a float32 value. */
export function floats(shape: readonly number[], axes: Axes = 'plain'): TensorType {
  return { dtype: 'float32', shape, axes };
}

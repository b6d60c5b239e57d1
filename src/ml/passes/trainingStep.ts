import { extendGraph, finishGraph } from '../graph/builder.ts';
import { differentiate } from '../graph/differentiate.ts';
import { typeOf, type Graph, type GraphBuilder, type TensorType } from '../graph/graph.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { appendLoss } from '../operators/loss/logSoftmax.ts';
import { appendClipping, appendOptimizer, type Optimizer } from '../operators/optimizer/optimizer.ts';

/** What training a forward graph needs to know; see `TrainingOptions` of the engine. */
export interface StepOptions {
  readonly trainable: ReadonlySet<string>;
  readonly optimizer: Optimizer;
  readonly clipNorm?: number;
  readonly focalGamma?: number;
}

/** What the gradients alone need to know. */
export type GradientOptions = Pick<StepOptions, 'trainable' | 'focalGamma'>;

/** A forward graph that ends in log-probabilities, extended by its loss and its gradients. */
interface Differentiated {
  readonly builder: GraphBuilder;
  readonly loss: string;
  readonly logProbabilities: string;
  readonly gradients: Map<string, string>;
}

function differentiateLoss(forward: Graph, { trainable, focalGamma }: GradientOptions): Differentiated {
  const builder = extendGraph(forward);
  const [logProbabilities = ''] = forward.outputs;
  const { loss, seeds } = appendLoss(builder, logProbabilities, focalGamma);
  const wanted = forward.parameters.filter((name) => trainable.has(name));
  return { builder, loss, logProbabilities, gradients: differentiate(builder, seeds, wanted, add) };
}

/**
 * The whole optimizer step as one graph: outputs are the loss `[]`, the log-probabilities and the gradients' joint norm
 * `[]`; `updates` name the successors of parameters, running statistics and moments.
 */
export function fullStep(forward: Graph, options: StepOptions): Graph {
  const { builder, loss, logProbabilities, gradients } = differentiateLoss(forward, options);
  const norm = appendOptimizer(builder, options.optimizer, gradients, options.clipNorm);
  return finishGraph(builder, [loss, logProbabilities, norm]);
}

/**
 * A step that stops ahead of the update: the outputs of `fullStep`, and as `updates` the running statistics and, under
 * `accumulatorName`, the gradients to learn by.
 */
export function stepToGradients(forward: Graph, options: StepOptions): Graph {
  const { builder, loss, logProbabilities, gradients } = differentiateLoss(forward, options);
  return finishGraph(builder, [loss, logProbabilities, giveGradients(builder, gradients, options)]);
}

/** Names the gradients to learn by, and gives the joint norm of what they were. */
function giveGradients(
  builder: GraphBuilder,
  gradients: ReadonlyMap<string, string>,
  { clipNorm }: StepOptions,
): string {
  const { norm, clipped } = appendClipping(builder, gradients, clipNorm);
  for (const [parameter, gradient] of clipped) {
    builder.types.set(accumulatorName(parameter), typeOf(builder, parameter));
    builder.updates.set(accumulatorName(parameter), gradient);
  }
  return norm;
}

/** Loss, log-probabilities and the gradients only: outputs in this order, gradients in the order of the parameters. */
export function gradientStep(forward: Graph, options: GradientOptions): Graph {
  const { builder, loss, logProbabilities, gradients } = differentiateLoss(forward, options);
  return finishGraph(builder, [loss, logProbabilities, ...gradients.values()]);
}

/** Name under which a gradient sum travels between micro-batches. */
export function accumulatorName(parameter: string): string {
  return `${parameter}.grad`;
}

/** One micro-batch: like `gradientStep`, but adds its gradients to accumulators that come in and go out as updates. */
export function accumulationStep(forward: Graph, options: GradientOptions): Graph {
  const { builder, loss, logProbabilities, gradients } = differentiateLoss(forward, options);
  for (const [parameter, gradient] of gradients) {
    const accumulator = accumulatorName(parameter);
    builder.inputs.push(accumulator);
    builder.types.set(accumulator, typeOf(builder, parameter));
    builder.updates.set(accumulator, add(builder, accumulator, gradient));
  }
  return finishGraph(builder, [loss, logProbabilities]);
}

/** The update alone, from accumulated gradients; its output is their joint norm `[]`. */
export function updateStep(forward: Graph, options: StepOptions): Graph {
  const { builder, gradients } = fromAccumulated(forward, options);
  return finishGraph(builder, [appendOptimizer(builder, options.optimizer, gradients, options.clipNorm)]);
}

/** What `updateStep` does ahead of the update: the same output, and the gradients to learn by as `stepToGradients` gives them. */
export function accumulatedGradients(forward: Graph, options: StepOptions): Graph {
  const { builder, gradients } = fromAccumulated(forward, options);
  return finishGraph(builder, [giveGradients(builder, gradients, options)]);
}

/** A graph into which accumulated gradients come. */
function fromAccumulated(forward: Graph, options: StepOptions) {
  const trainable = forward.parameters.filter((name) => options.trainable.has(name));
  const types = new Map<string, TensorType>();
  for (const parameter of trainable) {
    const type = typeOf(forward, parameter);
    types.set(parameter, type).set(accumulatorName(parameter), type);
  }
  const builder = extendGraph({
    inputs: trainable.map(accumulatorName),
    parameters: trainable,
    buffers: [],
    nodes: [],
    outputs: [],
    updates: new Map(),
    types,
  });
  return { builder, gradients: new Map(trainable.map((parameter) => [parameter, accumulatorName(parameter)])) };
}

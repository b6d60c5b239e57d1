import assert from 'node:assert/strict';
import type { Engine } from '../../../src/ml/engine/engine.ts';
import { isNode, typeOf, type Graph } from '../../../src/ml/graph/graph.ts';
import type { Random } from '../../../src/ml/graph/random.ts';
import { elementCount, float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { batchNormTraining } from '../../../src/ml/operators/norm/batchNormTraining.ts';
import type { OperatorRecord } from '../../../src/ml/operators/operator.ts';
import { runDouble, type Doubles } from './doubleForward.ts';
import { doubles, randomValues } from './graphValues.ts';

const step = 1e-6;
/** ReLU's inputs, and the values under one max pool's window, are kept this far from where the slope changes. */
const margin = 10 * step;
/** No channel that batch norm sees is this many deviations off zero, where float32 loses its variance, or this narrow. */
const mostDeviations = 10;
const leastDeviation = 0.05;

export interface EngineUnderTest {
  readonly engine: Engine;
  /** How far its gradients may be off; float32's if not given. */
  readonly tolerance?: number;
}

/**
 * Checks the gradients by each engine of a graph that ends in log-probabilities against central differences in float64:
 * for every trainable parameter along two random directions, which an error in any element would change, and by its
 * first and last element. The values are drawn until none is near a kink and every batch norm is well conditioned.
 */
export async function checkGradients(
  engines: readonly EngineUnderTest[],
  graph: Graph,
  random: Random,
  options: { readonly trainable?: ReadonlySet<string>; readonly values?: ReadonlyMap<string, Tensor> } = {},
): Promise<void> {
  const { trainable = new Set(graph.parameters) } = options;
  const draw = () => randomValues(graph, random);
  const values = options.values ?? conditionedValues(graph, draw, (all) => isSmooth(graph, all));
  const targets = randomTargets(typeOf(graph, graph.outputs[0] ?? '').shape, random);
  const slopes = centralDifferences(graph, values, targets, random, trainable);
  for (const [at, { engine, tolerance = 1e-3 }] of engines.entries()) {
    const gradients = await gradientsBy(engine, graph, values, targets, trainable);
    assert.deepEqual([...gradients.keys()], [...slopes.keys()]);
    for (const [name, gradient] of gradients) {
      assert.deepEqual(gradient.shape, typeOf(graph, name).shape);
      const data = Float64Array.from(gradient.data, Number);
      const rms = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
      for (const { what, direction, expected } of slopes.get(name) ?? []) {
        const actual = direction.reduce((sum, value, index) => sum + value * (data[index] ?? NaN), 0);
        const off = Math.abs(actual - expected);
        // In units of the gradient, and of what float32 leaves of a gradient that is zero, as before a batch norm.
        const close = off <= tolerance * Math.max(rms, 0.25);
        assert.ok(close, `${name} by ${what}, engine ${at + 1} of ${engines.length}: ${actual}, not ${expected}`);
      }
    }
  }
}

/** The gradients by an engine of the loss that `targets` weight; `values` are of parameters, buffers and inputs. */
export async function gradientsBy(
  engine: Engine,
  graph: Graph,
  values: ReadonlyMap<string, Tensor>,
  targets: Tensor,
  trainable: ReadonlySet<string> = new Set(graph.parameters),
): Promise<ReadonlyMap<string, Tensor>> {
  const model = await engine.compileTraining(
    () => graph,
    { state: values, optimizer: new Map(), step: 0 },
    { trainable, optimizer: { kind: 'sgd', momentum: 0, weightDecay: 0 }, device: 'cpu' },
  );
  const fed = [...values].filter(([name]) => graph.inputs.includes(name));
  const gradients = await model.gradients(new Map([...fed, ['targets', targets]]));
  await model.dispose();
  return gradients;
}

interface Slope {
  readonly what: string;
  readonly direction: Float64Array;
  readonly expected: number;
}

/** The slopes of the loss in float64 along some directions of each trainable parameter. */
function centralDifferences(
  graph: Graph,
  values: ReadonlyMap<string, Tensor>,
  targets: Tensor,
  random: Random,
  trainable: ReadonlySet<string>,
): ReadonlyMap<string, readonly Slope[]> {
  const all = runDouble(graph, doubles(values));
  return new Map(
    graph.parameters
      .filter((name) => trainable.has(name))
      .map((name) => [
        name,
        directions(elementCount(typeOf(graph, name).shape), random).map(([what, direction]) => ({
          what,
          direction,
          expected: slope(graph, all, targets, name, direction),
        })),
      ]),
  );
}

/** Directions of length 1. */
function directions(length: number, random: Random): [what: string, direction: Float64Array][] {
  const axis = (index: number) => Float64Array.from({ length }, (_, other) => (other === index ? 1 : 0));
  const anywhere = () => {
    const values = Float64Array.from({ length }, () => random.normal());
    const norm = Math.hypot(...values);
    return values.map((value) => value / norm);
  };
  return [
    ['a random direction', anywhere()],
    ['another direction', anywhere()],
    ['its first element', axis(0)],
    ['its last element', axis(length - 1)],
  ];
}

/** Derivative of -sum(targets * log-probabilities) along a direction of one tensor; `all` are the values of the graph. */
function slope(graph: Graph, all: Doubles, targets: Tensor, name: string, direction: Float64Array): number {
  const own = all.get(name) ?? new Float64Array();
  const behind = { ...graph, nodes: nodesBehind(graph, name) };
  const lossAt = (distance: number) => {
    const moved = own.map((value, index) => value + distance * (direction[index] ?? 0));
    const logProbabilities = runDouble(behind, new Map([...all, [name, moved]])).get(graph.outputs[0] ?? '');
    assert.ok(logProbabilities);
    return -logProbabilities.reduce((sum, value, index) => sum + value * Number(targets.data[index]), 0);
  };
  return (lossAt(step) - lossAt(-step)) / (2 * step);
}

/** The nodes whose outputs depend on a value, in the graph's order. */
function nodesBehind(graph: Graph, name: string): Graph['nodes'] {
  const moved = new Set([name]);
  return graph.nodes.filter(({ inputs, outputs }) => {
    const depends = inputs.some((value) => moved.has(value));
    if (depends) for (const output of outputs) moved.add(output);
    return depends;
  });
}

/** Rows of unequal sums, as class weights and label smoothing make them. */
function randomTargets(shape: readonly number[], random: Random): Tensor {
  return float32Tensor(
    shape,
    Float32Array.from({ length: elementCount(shape) }, () => random.next()),
  );
}

/** Values, drawn until float32 can follow every batch norm of the graph and `accept` takes them. */
export function conditionedValues(
  graph: Graph,
  draw: () => Map<string, Tensor>,
  accept: (all: Doubles) => boolean = () => true,
): Map<string, Tensor> {
  for (let round = 0; round < 100; round++) {
    const values = draw();
    const all = runDouble(graph, doubles(values));
    if (normsAreConditioned(graph, all) && accept(all)) return values;
  }
  throw new Error('no draw of a hundred was well conditioned');
}

function normsAreConditioned(graph: Graph, all: Doubles): boolean {
  return graph.nodes.every((node) => {
    if (!isNode(node, batchNormTraining)) return true;
    const [, mean = '', inverse = ''] = node.outputs;
    const means = all.get(mean) ?? new Float64Array();
    const inverses = all.get(inverse) ?? new Float64Array();
    return inverses.every(
      (value, channel) => value < 1 / leastDeviation && Math.abs(means[channel] ?? NaN) * value < mostDeviations,
    );
  });
}

/** Whether no value is near a kink of the loss. */
export function isSmooth(graph: Graph, all: Doubles): boolean {
  return graph.nodes.every((node) => {
    const { smooth } = node.operator as Partial<OperatorRecord>;
    const types = (names: readonly string[]) => names.map((value) => typeOf(graph, value));
    const run = { attributes: node.attributes, inputs: types(node.inputs), outputs: types(node.outputs) };
    return smooth?.((index) => all.get(node.inputs[index] ?? '') ?? new Float64Array(), run, margin) ?? true;
  });
}

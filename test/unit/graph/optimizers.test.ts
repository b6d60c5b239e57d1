import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import {
  appendOptimizer,
  firstMoment,
  momentNames,
  schedule,
  scheduleInput,
  type Optimizer,
} from '../../../src/ml/operators/optimizer/optimizer.ts';
import { float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { torchUpdate } from '../engine/trainingFixture.ts';

interface Case {
  readonly kind: Optimizer['kind'];
  readonly weightDecay: number;
  readonly momentum?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly clipNorm?: number;
  readonly averageDecay?: number;
  /** What the learning rate of each tensor is multiplied by, and its first step, from 0. */
  readonly rates?: readonly number[];
  readonly starts?: readonly number[];
  /** After five steps. */
  readonly parameters: readonly number[][];
  readonly moments: Readonly<Record<string, readonly number[][]>>;
}

/** Written by torch_optimizers.py beside it, which says what gradients and learning rates the steps have. */
const file = join(import.meta.dirname, '../../fixtures/torch_optimizers.json');
const torch = JSON.parse(readFileSync(file, 'utf8')) as { start: number[][]; cases: Case[] };
const names = ['first', 'second'];

function optimizerOf(reference: Case): Optimizer {
  const { kind, weightDecay, momentum = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = reference;
  const { averageDecay, rates, starts } = reference;
  const all = rates?.map((rate, index) => ({ rate, start: starts?.[index] ?? 0 }));
  const of = new Map(names.map((name, index) => [name, index]));
  const common = { weightDecay, ...(averageDecay && { averageDecay }), ...(all && { groups: { all, of } }) };
  return kind === 'sgd' ? { ...common, kind, momentum } : { ...common, kind, beta1, beta2, epsilon };
}

/** One optimizer step of some tensors as a graph of its own: parameters, gradients and moments are its inputs. */
function updateGraph(optimizer: Optimizer, clipNorm: number | undefined, live: readonly string[]) {
  const builder = createGraphBuilder();
  const gradients = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    if (!live.includes(name)) continue;
    const shape = [torch.start[index]?.length ?? 0];
    gradients.set(input(builder, name, shape), input(builder, `${name}.gradient`, shape));
  }
  appendOptimizer(builder, optimizer, gradients, clipNorm);
  return finishGraph(builder, [...builder.updates.values()]);
}

function gradientsAt(step: number): [string, Tensor][] {
  let element = 0;
  return names.map((name, index) => {
    const values = (torch.start[index] ?? []).map(() => {
      const gradient = (Math.sin(0.7 * element + step + 1) * (element + 1)) / 2;
      element++;
      return gradient;
    });
    return [`${name}.gradient`, float32Tensor([values.length], Float32Array.from(values))];
  });
}

function assertNear(actual: Tensor | undefined, expected: readonly number[] | undefined, what: string): void {
  assert.equal(actual?.data.length, expected?.length, what);
  for (const [index, value] of (expected ?? []).entries()) {
    const off = Math.abs(Number(actual?.data[index]) - value);
    assert.ok(off <= 2e-6 * Math.max(1, Math.abs(value)), `${what}[${index}] is ${actual?.data[index]}, not ${value}`);
  }
}

for (const reference of torch.cases) {
  const { kind, weightDecay, clipNorm, parameters, moments } = reference;
  const clipping = clipNorm === undefined ? '' : `, clipped to ${clipNorm}`;
  const settings = `decay ${weightDecay}, momentum ${reference.momentum ?? '-'}, epsilon ${reference.epsilon ?? '-'}${reference.averageDecay === undefined ? '' : `, averaged by ${reference.averageDecay} in groups`}`;
  test(`five steps of ${kind} (${settings}${clipping}) end where torch's end`, async () => {
    const optimizer = optimizerOf(reference);
    const state = new Map<string, Tensor>();
    for (const [index, name] of names.entries()) {
      const start = torch.start[index] ?? [];
      state.set(name, float32Tensor([start.length], Float32Array.from(start)));
      const parameter = float32Tensor([start.length], Float32Array.from(start));
      for (const moment of momentNames(optimizer, name)) {
        state.set(moment, firstMoment(moment, name, parameter) ?? float32Tensor([start.length]));
      }
    }
    for (let step = 0; step < 5; step++) {
      const live = names.filter((_, index) => step >= (reference.starts?.[index] ?? 0));
      const graph = updateGraph(optimizer, clipNorm, live);
      const model = await onnxEngine.compileInference(() => graph, new Map(), 'cpu');
      const values = Float32Array.from(schedule(optimizer, step + 1, 0.05 / (step + 1)));
      const scheduled = float32Tensor([values.length], values);
      const feeds = new Map([...state, ...gradientsAt(step), [scheduleInput, scheduled] as const]);
      const results = await model.run(new Map([...feeds].filter(([name]) => graph.inputs.includes(name))));
      for (const [name, value] of graph.updates) state.set(name, results.get(value) ?? float32Tensor([0]));
      await model.dispose();
    }
    for (const [index, name] of names.entries()) {
      assertNear(state.get(name), parameters[index], name);
      for (const [moment, values] of Object.entries(moments)) {
        assertNear(state.get(`${name}.${moment}`), values[index], `${name}.${moment}`);
      }
    }
  });
}

test('the yardstick of the engines’ training tests is torch’s update', () => {
  for (const reference of torch.cases.filter(({ clipNorm, rates }) => clipNorm === undefined && rates === undefined)) {
    const updates = torch.start.map((values) => values.map(() => torchUpdate(optimizerOf(reference))));
    let parameters = torch.start;
    for (let step = 0; step < 5; step++) {
      const gradients = gradientsAt(step).map(([, { data }]) => Array.from(data, Number));
      parameters = parameters.map((values, tensor) =>
        values.map(
          (value, index) =>
            updates[tensor]?.[index]?.(value, gradients[tensor]?.[index] ?? NaN, 0.05 / (step + 1)) ?? NaN,
        ),
      );
    }
    for (const [tensor, values] of reference.parameters.entries()) {
      assertNear(float32Tensor([values.length], Float32Array.from(parameters[tensor] ?? [])), values, reference.kind);
    }
  }
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import {
  appendOptimizer,
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
  /** After five steps. */
  readonly parameters: readonly number[][];
  readonly moments: Readonly<Record<string, readonly number[][]>>;
}

/** Written by torch_optimizers.py beside it, which says what gradients and learning rates the steps have. */
const file = join(import.meta.dirname, '../../fixtures/torch_optimizers.json');
const torch = JSON.parse(readFileSync(file, 'utf8')) as { start: number[][]; cases: Case[] };
const names = ['first', 'second'];

function optimizerOf({ kind, weightDecay, momentum = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: Case): Optimizer {
  return kind === 'sgd' ? { kind, momentum, weightDecay } : { kind, beta1, beta2, epsilon, weightDecay };
}

/** One optimizer step as a graph of its own: parameters, gradients and moments are its inputs. */
function updateGraph(optimizer: Optimizer, clipNorm: number | undefined) {
  const builder = createGraphBuilder();
  const gradients = new Map<string, string>();
  for (const [index, name] of names.entries()) {
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
  const settings = `decay ${weightDecay}, momentum ${reference.momentum ?? '-'}, epsilon ${reference.epsilon ?? '-'}`;
  test(`five steps of ${kind} (${settings}${clipping}) end where torch's end`, async () => {
    const optimizer = optimizerOf(reference);
    const graph = updateGraph(optimizer, clipNorm);
    const model = await onnxEngine.compileInference(() => graph, new Map(), 'cpu');
    const state = new Map<string, Tensor>();
    for (const [index, name] of names.entries()) {
      const start = torch.start[index] ?? [];
      state.set(name, float32Tensor([start.length], Float32Array.from(start)));
      for (const moment of momentNames(optimizer, name)) state.set(moment, float32Tensor([start.length]));
    }
    for (let step = 0; step < 5; step++) {
      const scheduled = float32Tensor([4], Float32Array.from(schedule(optimizer, step + 1, 0.05 / (step + 1))));
      const results = await model.run(new Map([...state, ...gradientsAt(step), [scheduleInput, scheduled]]));
      for (const [name, value] of graph.updates) state.set(name, results.get(value) ?? float32Tensor([0]));
    }
    await model.dispose();
    for (const [index, name] of names.entries()) {
      assertNear(state.get(name), parameters[index], name);
      for (const [moment, values] of Object.entries(moments)) {
        assertNear(state.get(`${name}.${moment}`), values[index], `${name}.${moment}`);
      }
    }
  });
}

test('the yardstick of the engines’ training tests is torch’s update', () => {
  for (const reference of torch.cases.filter(({ clipNorm }) => clipNorm === undefined)) {
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

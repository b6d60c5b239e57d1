import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine, TrainingModel, TrainingOptions, TrainingState } from '../../../src/ml/engine/engine.ts';
import type { Optimizer } from '../../../src/ml/operators/optimizer/optimizer.ts';
import { float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { runDouble } from './doubleForward.ts';
import {
  adam,
  assertEachClose,
  feeds,
  initialState,
  names,
  network,
  numbers,
  optimizers,
  torchUpdate,
} from './trainingFixture.ts';

/** Tests that an engine trains as `TrainingModel` says and as torch does. */
export function testTraining(engine: Engine): void {
  const train = (
    options: Partial<TrainingOptions> = {},
    batchNorm: 'running' | 'batch' = 'running',
    initial: TrainingState = { state: initialState, optimizer: new Map(), step: 0 },
  ): Promise<TrainingModel> => {
    const defaults = { trainable: new Set(names.parameters), optimizer: adam, device: 'cpu' };
    return engine.compileTraining((size) => network(size, batchNorm), initial, { ...defaults, ...options });
  };

  for (const optimizer of optimizers) {
    test(`${optimizer.kind} with decay ${optimizer.weightDecay} moves parameters as torch's does`, async () => {
      const model = await train({ optimizer });
      const updates = new Map(
        names.parameters.map((name) => [name, numbers(initialState, name).map(() => torchUpdate(optimizer))]),
      );
      for (let step = 0; step < 4; step++) {
        const before = await model.snapshot();
        const gradients = await model.gradients(feeds());
        await model.step([feeds()], 0.05);
        const after = await model.snapshot();
        assert.equal(after.step, step + 1);
        for (const [name, each] of updates) {
          const gradient = numbers(gradients, name);
          const expected = numbers(before.state, name).map(
            (p, index) => each[index]?.(p, gradient[index] ?? NaN, 0.05) ?? NaN,
          );
          assertEachClose(numbers(after.state, name), expected, 1e-4, `${name} after step ${step + 1}`);
        }
      }
      await model.dispose();
    });
  }

  test('clipping scales all gradients by one factor when their joint norm is above the limit, and not below', async () => {
    const optimizer: Optimizer = { kind: 'sgd', momentum: 0, weightDecay: 0 };
    for (const share of [0.5, 2]) {
      const probe = await train({ optimizer });
      const gradients = await probe.gradients(feeds());
      await probe.dispose();
      const norm = Math.sqrt(
        [...gradients.keys()].flatMap((name) => numbers(gradients, name)).reduce((sum, g) => sum + g * g, 0),
      );
      const clipNorm = share * norm;
      const model = await train({ optimizer, clipNorm });
      const { gradientNorm } = await model.step([feeds()], 1);
      const { state } = await model.snapshot();
      await model.dispose();
      assertEachClose([gradientNorm], [norm], 1e-4, 'the norm before it is limited');
      const factor = Math.min(1, clipNorm / (norm + 1e-6));
      for (const name of names.parameters) {
        const expected = numbers(initialState, name).map(
          (p, index) => p - factor * (numbers(gradients, name)[index] ?? NaN),
        );
        assertEachClose(numbers(state, name), expected, 1e-4, name);
      }
    }
  });

  test('micro-batches, also uneven ones, add up to the step of the whole batch', async () => {
    const results = [];
    for (const batches of [[feeds()], [feeds(0, 1), feeds(1, 4)]]) {
      const model = await train();
      const { loss, logProbabilities, gradientNorm } = await model.step(batches, 0.01);
      results.push({
        loss,
        gradientNorm,
        rows: [...logProbabilities.data],
        shape: logProbabilities.shape,
        ...(await model.snapshot()),
      });
      await model.dispose();
    }
    const [whole, parts] = results;
    assert.ok(whole && parts);
    assert.deepEqual(parts.shape, [4, 3]);
    assertEachClose([parts.loss], [whole.loss], 1e-5, 'loss');
    assertEachClose([parts.gradientNorm], [whole.gradientNorm], 1e-4, 'norm of the gradients');
    assertEachClose(parts.rows, whole.rows, 1e-5, 'log-probabilities');
    for (const name of names.parameters)
      assertEachClose(numbers(parts.state, name), numbers(whole.state, name), 1e-4, name);
  });

  test('the loss and the log-probabilities are those before the update', async () => {
    const model = await train();
    const { loss, logProbabilities } = await model.step([feeds()], 0.01);
    await model.dispose();
    const graph = network(4);
    const values = new Map(
      [...initialState, ...feeds()].map(([name, { data }]) => [name, Float64Array.from(data, Number)]),
    );
    const expected = [...(runDouble(graph, values).get(graph.outputs[0] ?? '') ?? [])];
    assertEachClose([...logProbabilities.data], expected, 1e-4, 'log-probabilities');
    const targets = numbers(feeds(), 'targets');
    assertEachClose(
      [loss],
      [-expected.reduce((sum, value, index) => sum + value * (targets[index] ?? NaN), 0)],
      1e-4,
      'loss',
    );
  });

  test('running statistics move once for each micro-batch, by its mean and unbiased variance', async () => {
    const model = await train({}, 'batch');
    await model.step([feeds(0, 2), feeds(2, 4)], 0.01);
    const { state } = await model.snapshot();
    await model.dispose();
    let present = initialState;
    for (const [from, to] of [
      [0, 2],
      [2, 4],
    ] as const) {
      const graph = network(2, 'batch');
      const all = [...present, ...feeds(from, to)];
      const values = runDouble(graph, new Map(all.map(([name, { data }]) => [name, Float64Array.from(data, Number)])));
      const moved = [...graph.updates].map(([name, value]) => {
        const data = Float32Array.from(values.get(value) ?? []);
        return [name, float32Tensor([data.length], data)] as const;
      });
      present = new Map([...present, ...moved]);
    }
    for (const name of names.buffers) {
      assertEachClose(numbers(state, name), numbers(present, name), 1e-4, name);
      assert.notDeepEqual(numbers(state, name), numbers(initialState, name));
    }
  });

  test('exactly the trainable parameters move, and only they have moments and gradients', async () => {
    const trainable = new Set(['fc.weight', 'conv.bias']);
    const model = await train({ trainable });
    const gradients = await model.gradients(feeds());
    await model.step([feeds()], 0.01);
    const { state, optimizer } = await model.snapshot();
    await model.dispose();
    assert.deepEqual([...state.keys()], [...initialState.keys()]);
    const moved = [...state.keys()].filter(
      (name) => numbers(state, name).join() !== numbers(initialState, name).join(),
    );
    assert.deepEqual(new Set(moved), trainable);
    assert.deepEqual(new Set(gradients.keys()), trainable);
    const moments = [...trainable].flatMap((name) => [`${name}.exp_avg`, `${name}.exp_avg_sq`]);
    assert.deepEqual(new Set(optimizer.keys()), new Set(moments));
  });

  test('training goes on from a snapshot to exactly the same numbers', async () => {
    const model = await train({}, 'batch');
    await model.step([feeds()], 0.01);
    const middle = await model.snapshot();
    await model.step([feeds()], 0.01);
    const end = await model.snapshot();
    await model.dispose();
    const resumed = await train({}, 'batch', middle);
    await resumed.step([feeds()], 0.01);
    assert.deepEqual(await resumed.snapshot(), end);
    await resumed.dispose();
  });

  test('what is lent is what a snapshot has, and training goes on as if it had not been lent', async () => {
    const optimizer = { ...adam, averageDecay: 0.9 };
    const [model, undisturbed] = [await train({ optimizer }, 'batch'), await train({ optimizer }, 'batch')];
    for (let step = 0; step < 3; step++) {
      for (const each of [model, undisturbed]) await each.step([feeds()], 0.01);
      const expected = await undisturbed.snapshot();
      const shown = await model.lend('weights', (lent) => Promise.resolve(structuredClone(lent)));
      assert.deepEqual([shown.state, shown.step], [expected.state, expected.step]);
      const averages = [...expected.optimizer].filter(([name]) => name.endsWith('.average'));
      assert.ok(averages.length > 0);
      for (const [name, tensor] of averages) assert.deepEqual(shown.optimizer.get(name), tensor);
      assert.deepEqual(await model.lend('all', (lent) => Promise.resolve(structuredClone(lent))), expected);
    }
    await assert.rejects(
      model.lend('all', () => Promise.reject(new Error('no room'))),
      /no room/u,
    );
    for (const each of [model, undisturbed]) await each.step([feeds()], 0.01);
    assert.deepEqual(await model.snapshot(), await undisturbed.snapshot());
    await Promise.all([model.dispose(), undisturbed.dispose()]);
  });

  test('a snapshot stays as it is while another training goes on from it', async () => {
    const model = await train({}, 'batch');
    await model.step([feeds()], 0.01);
    const middle = await model.snapshot();
    await model.dispose();
    const kept = structuredClone(middle);
    const resumed = await train({}, 'batch', middle);
    for (let step = 0; step < 3; step++) await resumed.step([feeds()], 0.01);
    await resumed.dispose();
    assert.deepEqual(middle, kept);
  });

  test('a run does not change what it is given, and gives copies', async () => {
    const given = feeds();
    const copy = structuredClone(given);
    const model = await engine.compileInference((size) => network(size), initialState, 'cpu');
    const [first] = (await model.run(given)).values();
    first?.data.fill(0 as never);
    const [second] = (await model.run(given)).values();
    await model.dispose();
    assert.deepEqual(given, copy);
    assert.notDeepEqual(second, first);
  });

  test('a step that fails changes nothing, also where a part of its batch had run', async () => {
    const model = await train({}, 'batch');
    await model.step([feeds()], 0.01);
    const before = await model.snapshot();
    const broken = new Map([...feeds(2, 4)].filter(([name]) => name !== 'drop.mask'));
    await assert.rejects(model.step([feeds(0, 2), broken], 0.01), /drop\.mask/);
    assert.deepEqual(await model.snapshot(), before);
    await model.step([feeds()], 0.01);
    const after = await model.snapshot();
    await model.dispose();
    const undisturbed = await train({}, 'batch', before);
    await undisturbed.step([feeds()], 0.01);
    assert.deepEqual(await undisturbed.snapshot(), after);
    await undisturbed.dispose();
  });

  test('the batches that a batch norm has seen are counted, those alone that moved its statistics', async () => {
    const batches = [feeds(0, 2), feeds(2, 4)];
    for (const [batchNorm, expected] of [
      ['batch', 10n],
      ['running', 7n],
    ] as const) {
      const model = await train({}, batchNorm);
      await model.step(batches, 0.01);
      await model.step([feeds()], 0.01);
      const { state } = await model.snapshot();
      await model.dispose();
      assert.equal(state.get('norm.num_batches_tracked')?.data[0], expected);
    }
  });

  test('neither what came in nor a snapshot changes while training goes on', async () => {
    const initial = structuredClone({ state: new Map(initialState), optimizer: new Map<string, Tensor>(), step: 0 });
    const given = structuredClone(initial);
    const model = await train({}, 'batch', given);
    await model.step([feeds()], 0.01);
    const snapshot = await model.snapshot();
    const kept = structuredClone(snapshot);
    await model.step([feeds(0, 2), feeds(2, 4)], 0.01);
    await model.dispose();
    assert.deepEqual(given, initial);
    assert.deepEqual(snapshot, kept);
  });

  test('gradients change nothing and are the same each time', async () => {
    const model = await train({}, 'batch');
    const before = await model.snapshot();
    const first = await model.gradients(feeds());
    assert.deepEqual(await model.gradients(feeds()), first);
    assert.deepEqual(await model.snapshot(), before);
    await model.dispose();
  });
}

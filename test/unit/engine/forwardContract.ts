import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../../src/ml/engine/engine.ts';
import { createGraphBuilder, finishGraph } from '../../../src/ml/graph/builder.ts';
import { typeOf } from '../../../src/ml/graph/graph.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { runDouble } from './doubleForward.ts';
import { assertClose, doubles, randomValues } from './graphValues.ts';
import { operatorNetworks } from './operatorNetworks.ts';
import { seed } from './seed.ts';

/** Tests that an engine computes every forward operator as float64 does. */
export function testForward(engine: Engine): void {
  for (const [name, build] of Object.entries(operatorNetworks)) {
    test(`${name} computes what its definition says`, async () => {
      const builder = createGraphBuilder();
      const graph = finishGraph(builder, [build(builder)]);
      const values = randomValues(graph, createRandom(seed, name));
      const model = await engine.compileInference(() => graph, values, 'cpu');
      const feeds = new Map([...values].filter(([value]) => graph.inputs.includes(value)));
      const outputs = await model.run(feeds);
      await model.dispose();
      const expected = runDouble(graph, doubles(values));
      for (const output of graph.outputs) {
        const actual = outputs.get(output);
        assert.deepEqual(actual?.shape, typeOf(graph, output).shape);
        assertClose(Array.from(actual.data, Number), expected.get(output) ?? [], 1e-5, name);
      }
    });
  }
}

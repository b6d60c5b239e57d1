import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { sliceFeeds } from '../../../src/ml/engine/feedRows.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import type { Tensor } from '../../../src/ml/graph/tensor.ts';
import { foldBatchNorm } from '../../../src/ml/passes/foldBatchNorm.ts';
import { wholeMapsAsProducts } from '../../../src/ml/passes/wholeMapsAsProducts.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { linearOperator } from '../../../src/ml/operators/matmul/linear.ts';
import { buildNetwork } from '../../../src/ml/networks/registry.ts';
import { assertClose, randomValues } from '../../unit/engine/graphValues.ts';
import { seed } from '../../unit/engine/seed.ts';

const count = 16;

function graphFor(batch: number) {
  const builder = createGraphBuilder();
  return finishGraph(builder, [
    buildNetwork('resnet18', builder, input(builder, 'images', [batch, 3, 32, 32]), 'original'),
  ]);
}

function floats(tensor: Tensor | undefined): Float32Array {
  assert.ok(tensor?.dtype === 'float32');
  return tensor.data;
}

test('sixteen small images together, whose last maps are products, have the logits of each alone, with convolutions', async () => {
  const graph = graphFor(count);
  const state = randomValues(graph, createRandom(seed, 'small images'));
  const { graph: folded, constants } = foldBatchNorm(graph, state);
  const products = wholeMapsAsProducts(folded, constants).graph.nodes.filter(
    (node) => node.operator === linearOperator,
  );
  // Three of layer 3, four of layer 4, and the classifier.
  assert.equal(products.length, 8);
  const images = state.get('images');
  assert.ok(images);
  const feeds = new Map([['images', images]]);
  const model = await onnxEngine.compileInference(graphFor, state, 'cpu');
  try {
    const [together] = (await model.run(feeds)).values();
    for (let image = 0; image < count; image++) {
      const [alone] = (await model.run(sliceFeeds(feeds, image, image + 1))).values();
      assertClose(floats(together).subarray(image * 1000, (image + 1) * 1000), floats(alone), 1e-4, `image ${image}`);
    }
  } finally {
    await model.dispose();
  }
});

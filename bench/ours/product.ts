import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createGraphBuilder, finishGraph, input } from '../../src/ml/graph/builder.ts';
import { linear } from '../../src/ml/operators/matmul/linear.ts';
import { createRandom } from '../../src/ml/graph/random.ts';
import { float32Tensor } from '../../src/ml/graph/tensor.ts';
import { report } from './report.ts';

/* The machine's limit: operations a second of a product of two float32 matrices of 2048 x 2048, the best of some. */
const size = 2048;
const runs = 8;

const random = createRandom(0);
const values = () => Float32Array.from({ length: size * size }, () => random.next() - 0.5);
const model = await onnxEngine.compileInference(
  (rows) => {
    const builder = createGraphBuilder();
    return finishGraph(builder, [linear(builder, 'product', input(builder, 'x', [rows, size]), size)]);
  },
  new Map([
    ['product.weight', float32Tensor([size, size], values())],
    ['product.bias', float32Tensor([size], new Float32Array(size))],
  ]),
  'cpu',
);
const x = float32Tensor([size, size], values());
let best = Number.POSITIVE_INFINITY;
for (let run = 0; run < runs; run++) {
  const start = performance.now();
  await model.run(new Map([['x', x]]));
  best = Math.min(best, (performance.now() - start) / 1000);
}
await model.dispose();
report({ operationsPerSecond: (2 * size ** 3) / best });

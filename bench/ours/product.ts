import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { loadRuntime } from '../../src/ml/engine/onnxruntime/loadRuntime.ts';
import { createGraphBuilder, finishGraph, input } from '../../src/ml/graph/builder.ts';
import { createRandom } from '../../src/ml/graph/random.ts';
import { float32Tensor } from '../../src/ml/graph/tensor.ts';
import { encodeOnnx, onnxDataTypes } from '../../src/ml/onnx/onnxModel.ts';
import { linear } from '../../src/ml/operators/matmul/linear.ts';
import { report } from './report.ts';

/*
 * The machine's limit: operations a second of a product of two matrices of 2048 x 2048, the best of some. The argument says
 * of what: float32, or int8 for bytes without sign by such with sign, as networks in 8 bits multiply them.
 */
const size = 2048;
const runs = 8;
const random = createRandom(0);

interface Product {
  readonly multiply: () => Promise<unknown>;
  readonly dispose: () => Promise<void>;
}

async function floats(): Promise<Product> {
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
  const feeds = new Map([['x', float32Tensor([size, size], values())]]);
  return { multiply: () => model.run(feeds), dispose: () => model.dispose() };
}

async function bytes(): Promise<Product> {
  const { InferenceSession, Tensor } = loadRuntime();
  const type = (elemType: number) => ({ tensorType: { elemType } });
  const weights = Uint8Array.from({ length: size * size }, () => random.integer(256));
  const model = encodeOnnx({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'product',
      node: [{ opType: 'MatMulInteger', input: ['x', 'weight'], output: ['y'] }],
      initializer: [{ name: 'weight', dataType: onnxDataTypes.int8, dims: [size, size], rawData: weights }],
      input: [{ name: 'x', type: type(onnxDataTypes.uint8) }],
      output: [{ name: 'y', type: type(onnxDataTypes.int32) }],
    },
  });
  const session = await InferenceSession.create(model);
  const x = new Tensor(
    'uint8',
    Uint8Array.from({ length: size * size }, () => random.integer(256)),
    [size, size],
  );
  return { multiply: () => session.run({ x }), dispose: () => session.release() };
}

const product = await (process.argv[2] === 'int8' ? bytes() : floats());
let best = Number.POSITIVE_INFINITY;
for (let run = 0; run < runs; run++) {
  const start = performance.now();
  await product.multiply();
  best = Math.min(best, (performance.now() - start) / 1000);
}
await product.dispose();
report({ operationsPerSecond: (2 * size ** 3) / best });

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createGraphBuilder, finishGraph } from '../../../src/ml/graph/builder.ts';
import { createLowering } from '../../../src/ml/lowering/lowering.ts';
import { float32Value } from '../../../src/ml/onnx/onnxModel.ts';
import { splitRow } from '../../../src/ml/lowering/splitRow.ts';
import { webgpuLimits } from '../../../src/ml/lowering/webgpu/webgpuLimits.ts';
import { onnxOpset } from '../../../src/ml/lowering/writeOnnx.ts';
import { float32Tensor } from '../../../src/ml/graph/tensor.ts';

for (const count of [1, 7, 8, 49, 60, 343, 400]) {
  test(`for a graphics card, a row is cut into ${count} by operators that none binds more than eight tensors`, async () => {
    const lowering = createLowering(finishGraph(createGraphBuilder(), []), { webgpu: webgpuLimits });
    const sizes = Array.from({ length: count }, (_, index) => 1 + (index % 3));
    const names = sizes.map((_, index) => `part ${index}`);
    splitRow(lowering, 'row', sizes, names);
    assert.ok(lowering.nodes.every(({ output }) => output.length <= 7));
    const length = sizes.reduce((sum, size) => sum + size, 0);
    const model = await onnxEngine.compileOnnx(
      {
        irVersion: 8,
        opsetImport: [{ domain: '', version: onnxOpset }],
        graph: {
          name: 'split',
          node: lowering.nodes,
          initializer: lowering.initializers,
          input: [float32Value('row', [length])],
          output: names.map((name, index) => float32Value(name, [sizes[index] ?? 0])),
        },
      },
      'cpu',
    );
    const row = Float32Array.from({ length }, (_, index) => index);
    const parts = await model.run(new Map([['row', float32Tensor([length], row)]]));
    await model.dispose();
    assert.deepEqual(
      names.flatMap((name) => [...(parts.get(name)?.data ?? [])]),
      [...row],
    );
  });
}

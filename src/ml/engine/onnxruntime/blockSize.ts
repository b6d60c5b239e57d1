import { blockedDomain } from '../../lowering/blocked/blockedLayout.ts';
import { encodeOnnx, float32Value } from '../../onnx/onnxModel.ts';
import { loadRuntime } from './loadRuntime.ts';

let known: Promise<number> | undefined;

/**
 * Channels a block of this CPU's fast image layout: 16 with AVX-512, 8 with AVX2, 0 where ONNX Runtime has none.
 * Found out once a process, by having it reorder an image that numbers its own values.
 */
export function cpuBlockSize(): Promise<number> {
  known ??= findBlockSize();
  return known;
}

async function findBlockSize(): Promise<number> {
  const { InferenceSession, Tensor } = loadRuntime();
  const shape = [1, 64, 1, 2];
  const model = encodeOnnx({
    irVersion: 8,
    opsetImport: [
      { domain: '', version: 17 },
      { domain: blockedDomain, version: 1 },
    ],
    graph: {
      name: 'block size',
      node: [{ opType: 'ReorderInput', domain: blockedDomain, input: ['image'], output: ['blocks'] }],
      input: [float32Value('image', shape)],
      output: [float32Value('blocks', shape)],
    },
  });
  try {
    const session = await InferenceSession.create(model, { logSeverityLevel: 4 });
    const image = Float32Array.from({ length: 128 }, (_, index) => index);
    const { blocks } = await session.run({ image: new Tensor('float32', image, shape) });
    await session.release();
    // The second pixel of the first channel, value 1, comes after one block of first pixels.
    return Math.max(0, [...((blocks?.data ?? []) as Float32Array)].indexOf(1));
  } catch {
    return 0;
  }
}

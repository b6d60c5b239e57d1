import { encodeOnnx, onnxDataTypes } from '../../onnx/onnxModel.ts';
import { largestWeight } from '../../onnx/int8/quantizeModel.ts';
import { loadRuntime } from './loadRuntime.ts';

/** The largest magnitude of 8-bit weights that every CPU gets right: two products of a byte with it fit into 16 bits. */
export const portableWeight = 63;

let known: Promise<number> | undefined;

/**
 * The largest magnitude of 8-bit weights whose sums this CPU gets right. Processors with instructions for such products
 * (VNNI) take all 8 bits; older ones add pairs of products in 16 bits, where the largest overflow. Found out once a
 * process, by a convolution of the largest bytes with the largest weights.
 */
export function largestExactWeight(): Promise<number> {
  known ??= sumsAreExact().then((exact) => (exact ? largestWeight : portableWeight));
  return known;
}

async function sumsAreExact(): Promise<boolean> {
  const { InferenceSession, Tensor } = loadRuntime();
  const [channels, side, outputs] = [64, 4, 64];
  // With this scale the exact sum is 255, and one that was cut off less.
  const step = (255 * largestWeight * channels) / 255;
  const weights = new Int8Array(outputs * channels).fill(largestWeight);
  const input = ['x', 'one', 'zero', 'weight', 'one', 'weight_zero', 'step', 'zero'];
  const bytes = { tensorType: { elemType: onnxDataTypes.uint8 } };
  const model = encodeOnnx({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'saturation',
      node: [{ opType: 'QLinearConv', input, output: ['y'] }],
      initializer: [
        constant('one', onnxDataTypes.float32, [], Float32Array.of(1)),
        constant('step', onnxDataTypes.float32, [], Float32Array.of(step)),
        constant('zero', onnxDataTypes.uint8, [], Uint8Array.of(0)),
        constant('weight_zero', onnxDataTypes.int8, [], Int8Array.of(0)),
        constant('weight', onnxDataTypes.int8, [outputs, channels, 1, 1], weights),
      ],
      input: [{ name: 'x', type: bytes }],
      output: [{ name: 'y', type: bytes }],
    },
  });
  const session = await InferenceSession.create(model, { logSeverityLevel: 4 });
  const x = new Uint8Array(channels * side * side).fill(255);
  const { y } = await session.run({ x: new Tensor('uint8', x, [1, channels, side, side]) });
  await session.release();
  return ((y?.data ?? new Uint8Array(1)) as Uint8Array).every((value) => value === 255);
}

function constant(name: string, dataType: number, dims: number[], { buffer }: Float32Array | Int8Array | Uint8Array) {
  return { name, dataType, dims, rawData: new Uint8Array(buffer) };
}

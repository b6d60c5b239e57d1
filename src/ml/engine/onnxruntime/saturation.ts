import { encodeOnnx, onnxDataTypes } from '../../graph/onnx/onnxModel.ts';
import { largestWeight } from '../../graph/onnx/quantizeModel.ts';
import { loadRuntime } from './session.ts';

/** Half of the range: then two products of a byte fit into the 16 bits that are there for their sum. */
const halfWeight = 63;

let known: Promise<number> | undefined;

/**
 * The largest magnitude of 8-bit weights whose sums this CPU gets right. Processors with instructions for such products
 * (VNNI) take all 8 bits; older ones add pairs of products in 16 bits, where the largest overflow. Found out once a
 * process, by a convolution of the largest bytes with the largest weights.
 */
export function largestExactWeight(): Promise<number> {
  known ??= sumsAreExact().then((exact) => (exact ? largestWeight : halfWeight));
  return known;
}

async function sumsAreExact(): Promise<boolean> {
  const { InferenceSession, Tensor } = loadRuntime();
  const [channels, side, outputs] = [64, 4, 64];
  const float = (name: string, value: number) => tensor(name, onnxDataTypes.float32, [], Float32Array.of(value));
  const tensor = (
    name: string,
    dataType: number,
    dims: number[],
    { buffer }: Float32Array | Int8Array | Uint8Array,
  ) => ({
    name,
    dataType,
    dims,
    rawData: new Uint8Array(buffer),
  });
  // The scales make 255 of the exact sum, and less of any that was cut off.
  const sum = 255 * largestWeight * channels;
  const input = ['x', 'one', 'zero', 'weight', 'one', 'weight_zero', 'step', 'zero'];
  const model = encodeOnnx({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'saturation',
      node: [{ opType: 'QLinearConv', input, output: ['y'] }],
      initializer: [
        float('one', 1),
        float('step', sum / 255),
        tensor('zero', onnxDataTypes.uint8, [], Uint8Array.of(0)),
        tensor('weight_zero', onnxDataTypes.int8, [], Int8Array.of(0)),
        tensor(
          'weight',
          onnxDataTypes.int8,
          [outputs, channels, 1, 1],
          new Int8Array(outputs * channels).fill(largestWeight),
        ),
      ],
      input: [{ name: 'x', type: { tensorType: { elemType: onnxDataTypes.uint8 } } }],
      output: [{ name: 'y', type: { tensorType: { elemType: onnxDataTypes.uint8 } } }],
    },
  });
  const session = await InferenceSession.create(model, { logSeverityLevel: 4 });
  const x = new Uint8Array(channels * side * side).fill(255);
  const { y } = await session.run({ x: new Tensor('uint8', x, [1, channels, side, side]) });
  await session.release();
  return [...((y?.data ?? []) as Uint8Array)].every((value) => value === 255);
}

import type { Lowering } from './lowering.ts';

/** Outputs of an operator that every WebGPU device can bind, beside its input; ONNX Runtime refuses more than a device binds. */
const outputsAtOnce = 7;

/** Cuts a row into rows of `sizes`, named `outputs`; in several levels where the model is for WebGPU. */
export function splitRow(lowering: Lowering, row: string, sizes: readonly number[], outputs: readonly string[]): void {
  const { emitMany, integers } = lowering;
  if (!lowering.webgpu || sizes.length <= outputsAtOnce) {
    emitMany('Split', [row, integers(sizes)], { axis: 0 }, outputs);
    return;
  }
  let each = outputsAtOnce;
  while (each * outputsAtOnce < sizes.length) each *= outputsAtOnce;
  const groups = Array.from({ length: Math.ceil(sizes.length / each) }, (_, index) => {
    const [start, end] = [index * each, (index + 1) * each];
    return { name: `${row}_${String(start)}`, sizes: sizes.slice(start, end), outputs: outputs.slice(start, end) };
  });
  const whole = groups.map((group) => group.sizes.reduce((sum, size) => sum + size, 0));
  splitRow(
    lowering,
    row,
    whole,
    groups.map(({ name }) => name),
  );
  for (const group of groups) splitRow(lowering, group.name, group.sizes, group.outputs);
}

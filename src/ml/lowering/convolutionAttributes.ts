import type { Convolution, Pair } from '../graph/geometry.ts';
import type { AttributeValue } from './lowering.ts';

/** The attributes of ONNX's Conv. */
export function convolutionAttributes(
  { stride, padding, dilation, groups }: Convolution,
  kernel: Pair,
): Record<string, AttributeValue> {
  return {
    kernel_shape: kernel,
    strides: stride,
    pads: [...padding, ...padding],
    dilations: dilation,
    group: groups,
  };
}

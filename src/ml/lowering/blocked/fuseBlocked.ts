import type { Lowering } from '../lowering.ts';
import { blockedDomain } from './blockedLayout.ts';
import type { OnnxNode } from '../../onnx/onnxModel.ts';

/**
 * Lets blocked convolutions add another image to theirs and cut off what is below zero, where an Add or a Relu is all
 * that reads their result: a pass over the image less for each. `outputs` of the model stay as they are.
 */
export function fuseBlocked(
  nodes: readonly OnnxNode[],
  outputs: Iterable<string>,
  { graph, initializers }: Pick<Lowering, 'graph' | 'initializers'>,
): OnnxNode[] {
  const constants = new Set(initializers.map(({ name }) => name));
  /** Whether both are images of one shape: a convolution adds no scalar, and nothing that broadcasts. */
  const areAlike = (a: string, b: string) => {
    const shapes = [a, b].flatMap((value) => graph.types.get(value)?.shape.join() ?? []);
    return !constants.has(a) && !constants.has(b) && new Set(shapes).size <= 1;
  };
  const uses = new Map<string, number>();
  for (const value of [...nodes.flatMap((node) => node.input), ...outputs]) uses.set(value, (uses.get(value) ?? 0) + 1);
  /** Convolutions that wait for the only reader of their result, by its name. */
  const waiting = new Map<string, OnnxNode>();
  const result: OnnxNode[] = [];
  const release = (values: readonly string[]) => {
    for (const value of values) {
      const node = waiting.get(value);
      if (!node) continue;
      waiting.delete(value);
      release(node.input);
      result.push(node);
    }
  };
  for (const node of nodes) {
    const fused = fuse(node, waiting, areAlike);
    if (fused) waiting.delete(fused.value);
    const placed = fused?.node ?? node;
    const [output = ''] = placed.output;
    const waits = isConvolution(placed) && !isActivated(placed) && uses.get(output) === 1;
    // What a waiting convolution adds to may wait with it.
    release(waits ? placed.input.slice(0, 3) : placed.input);
    if (waits) waiting.set(output, placed);
    else result.push(placed);
  }
  release([...waiting.keys()]);
  return result;
}

/**
 * The waiting convolution that can take over what a node does, and both as one node. One that adds to an image already leaves
 * another's sum to the convolution that makes that image.
 */
function fuse(
  node: OnnxNode,
  waiting: Map<string, OnnxNode>,
  areAlike: (a: string, b: string) => boolean,
): { value: string; node: OnnxNode } | undefined {
  const [first = '', second = ''] = node.input;
  if (node.opType === 'Relu') {
    const convolution = waiting.get(first);
    if (!convolution) return undefined;
    const activation = { name: 'activation', type: 3, s: new TextEncoder().encode('Relu') };
    const attribute = [...(convolution.attribute ?? []), activation];
    return { value: first, node: { ...convolution, output: node.output, attribute } };
  }
  if (node.opType !== 'Add' || !areAlike(first, second)) return undefined;
  for (const [value, other] of [
    [second, first],
    [first, second],
  ] as const) {
    const convolution = waiting.get(value);
    if (!convolution) continue;
    const [, , , image] = convolution.input;
    if (image === undefined) return { value, node: { ...adding(convolution, other), output: node.output } };
    const before = waiting.get(image);
    if (!before || before.input.length > 3 || waiting.has(other)) continue;
    waiting.set(image, adding(before, other));
    return { value, node: { ...convolution, output: node.output } };
  }
  return undefined;
}

function adding(convolution: OnnxNode, image: string): OnnxNode {
  const [x = '', weight = '', bias = ''] = convolution.input;
  return { ...convolution, input: [x, weight, bias, image] };
}

function isConvolution({ opType, domain }: OnnxNode): boolean {
  return opType === 'Conv' && domain === blockedDomain;
}

function isActivated({ attribute }: OnnxNode): boolean {
  return attribute?.some(({ name }) => name === 'activation') ?? false;
}

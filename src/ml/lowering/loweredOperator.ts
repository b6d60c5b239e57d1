import type { Node, Operator } from '../graph/graph.ts';
import type { Lowering } from './lowering.ts';

/**
 * An operator with its ONNX forms. `onnx` is what every device can run; the others replace it for one kind of model, and
 * where one is absent, or returns false, `onnx` serves.
 */
export interface LoweredOperator<Attributes = unknown> extends Operator<Attributes> {
  /** Appends the ONNX operators that compute a node. */
  onnx(lowering: Lowering, node: Node<Attributes>): void;
  /**
   * The same on images in blocks (blocked/blockedLayout.ts). False for an operator that does not care for the layout of
   * what it reads: then `onnx` serves.
   */
  blocked?(lowering: Lowering, node: Node<Attributes>): boolean;
  /** Whether the blocked form serves this node, with blocks of so many channels; always if absent. */
  suitsBlocks?(lowering: Pick<Lowering, 'graph'>, node: Node<Attributes>, block: number): boolean;
  /** The images that the blocked form reads as they are, such as the colours that go into a network. */
  takesPlain?(lowering: Pick<Lowering, 'graph'>, node: Node<Attributes>, block: number): readonly string[];
  /** Multiplications of a convolution or a matrix product. */
  multiplications?(lowering: Pick<Lowering, 'graph'>, node: Node<Attributes>): number;
  /** The same for a graphics card behind WebGPU (webgpu/webgpuLimits.ts). False if this node needs no other form. */
  webgpu?(lowering: Lowering, node: Node<Attributes>): boolean;
  /** The same in float64, if ONNX Runtime's CPU lacks a float64 kernel that `onnx` uses. Slow, and meant for checks. */
  double?(lowering: Lowering, node: Node<Attributes>): void;
  /** Inputs that go into the model, and come out of it updated, with one dimension; see `rowsOf`. */
  rows?(node: Node<Attributes>): readonly string[];
  /** Set for operators that are linear in an image, and may take over a factor of it; see blocked/deferredScale.ts. */
  readonly scalable?: ScalableBy<Attributes>;
  /**
   * Notes that the node's blocked result lacks what its inputs do, which is then not added to these; see
   * blocked/deferredMultiples.ts. False if it cannot be so.
   */
  passMultiples?(lowering: Lowering, node: Node<Attributes>): boolean;
}

/** Which input is the image, and which value's size says what taking over its factor costs. */
export interface ScalableBy<Attributes> {
  image(node: Node<Attributes>): string;
  weight(node: Node<Attributes>): string;
}

/** A node's operator with its ONNX forms. Throws if it has none, which is a bug of whoever built the graph. */
export function loweredOperator(node: Node): LoweredOperator {
  const { operator } = node;
  if (!hasForms(operator)) throw new Error(`${operator.name} has no ONNX form`);
  return operator;
}

function hasForms(operator: Operator): operator is LoweredOperator {
  return 'onnx' in operator;
}

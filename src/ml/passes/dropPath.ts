import { dependentsOf } from '../graph/differentiate.ts';
import { isNode, typeOf, type Graph, type Node } from '../graph/graph.ts';
import { dropoutOperator } from '../operators/elementwise/dropout.ts';
import { addOperator } from '../operators/elementwise/arithmetic.ts';

/** A residual sum, and which of its inputs is the branch that can be dropped. */
interface Residual {
  readonly node: Node;
  readonly branch: string;
  /** Parameters that the branch has to itself. */
  readonly parameters: readonly string[];
}

/**
 * The training graph with stochastic depth (Huang et al. 2016, https://arxiv.org/abs/1603.09382) in each residual block, at
 * the end of its branch, where torchvision and timm have it: the branch of an image is left out with a probability that rises
 * linearly from 0 in the first block to `rate` in the last, and is scaled up where it stays. The masks `[N, 1, ...]` are inputs
 * of the graph. Only blocks with a parameter that trains are counted, so that nothing is lost of what runs ahead. `blockOf`
 * says which block a parameter is in. Undefined if no such block has a residual branch.
 */
export function withDropPath(
  graph: Graph,
  rate: number,
  trainable: ReadonlySet<string>,
  blockOf: (parameter: string) => number,
): Graph | undefined {
  const residuals = residualsOf(graph).filter(({ parameters }) => parameters.some((name) => trainable.has(name)));
  if (residuals.length === 0) return undefined;
  const block = ({ parameters }: Residual) => Math.max(...parameters.map(blockOf));
  const blocks = [...new Set(residuals.map(block))].sort((a, b) => a - b);
  const types = new Map(graph.types);
  const masks: string[] = [];
  const dropped = new Map<Node, { readonly drop: Node; readonly branch: string }>();
  for (const residual of residuals) {
    const share = blocks.length === 1 ? 1 : blocks.indexOf(block(residual)) / (blocks.length - 1);
    if (share === 0) continue;
    const { branch } = residual;
    const type = typeOf(graph, branch);
    const [mask, kept] = [`${branch}.drop_path.mask`, `${branch}.drop_path`];
    types.set(mask, { ...type, shape: [type.shape[0] ?? 1, ...type.shape.slice(1).map(() => 1)] }).set(kept, type);
    masks.push(mask);
    const drop = {
      operator: dropoutOperator,
      attributes: { rate: rate * share },
      inputs: [branch, mask],
      outputs: [kept],
    };
    dropped.set(residual.node, { drop, branch });
  }
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const found = dropped.get(node);
    if (!found) return [node];
    const [kept = ''] = found.drop.outputs;
    return [found.drop, { ...node, inputs: node.inputs.map((value) => (value === found.branch ? kept : value)) }];
  });
  return { ...graph, inputs: [...graph.inputs, ...masks], nodes, types };
}

/**
 * Sums of two values of images that come from one: the branch is the one with more parameters of its own. With as many each
 * they are two branches of one layer, such as RepVGG's convolutions of 3x3 and 1x1, and neither is a shortcut.
 */
function residualsOf(graph: Graph): Residual[] {
  const ofImages = dependentsOf(graph, graph.inputs);
  const learned = new Set(graph.parameters);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  /** All that a value is made of. */
  const ancestors = new Map<string, ReadonlySet<string>>();
  const madeOf = (value: string): ReadonlySet<string> => ancestors.get(value) ?? new Set([value]);
  const residuals: Residual[] = [];
  for (const node of graph.nodes) {
    const [a = '', b = ''] = node.inputs;
    if (isNode(node, addOperator) && a !== b && ofImages.has(a) && ofImages.has(b) && alike(graph, a, b)) {
      const own = (value: string, other: string) =>
        [...madeOf(value)].filter((name) => learned.has(name) && !madeOf(other).has(name));
      const [ofA, ofB] = [own(a, b), own(b, a)];
      const shared = [...madeOf(a)].some((value) => ofImages.has(value) && madeOf(b).has(value));
      const [branch, parameters] = ofA.length > ofB.length ? [a, ofA] : [b, ofB];
      if (shared && ofA.length !== ofB.length && makers.has(branch)) residuals.push({ node, branch, parameters });
    }
    const all = new Set<string>();
    for (const value of node.inputs) for (const name of madeOf(value)) all.add(name);
    for (const output of node.outputs) ancestors.set(output, new Set([...all, output]));
  }
  return residuals;
}

function alike(graph: Graph, a: string, b: string): boolean {
  const [first, second] = [typeOf(graph, a).shape, typeOf(graph, b).shape];
  return first.length > 1 && first.length === second.length && first.every((size, axis) => size === second[axis]);
}

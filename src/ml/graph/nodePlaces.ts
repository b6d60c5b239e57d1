import type { Graph, Node } from './graph.ts';

/** The parts of an optimizer step. */
export const trainingPhases = ['forward', 'backward', 'update'] as const;
export type TrainingPhase = (typeof trainingPhases)[number];

/** Where in a network a node belongs. */
export interface NodePlace {
  /** The module, as torch names it (`layer1.0.conv1`), whose parameters it uses or whose result it goes on with. */
  readonly layer: string;
  readonly phase: TrainingPhase;
}

/**
 * The place of every node, in order. A node without parameters of its own belongs to the layer that made its first
 * input; a node of the backward pass to the layer whose gradient it computes.
 */
export function nodePlaces(graph: Pick<Graph, 'nodes' | 'parameters' | 'buffers'>): NodePlace[] {
  const learned = new Set([...graph.parameters, ...graph.buffers]);
  const made = new Map<string, NodePlace>();
  return graph.nodes.map((node) => {
    const sources = node.inputs.map((value) => made.get(value));
    const own = node.inputs.find((value) => learned.has(value));
    const differentiated = node.gradientOf === undefined ? undefined : made.get(node.gradientOf)?.layer;
    const layer = differentiated ?? (own === undefined ? undefined : moduleOf(own)) ?? sources.find(Boolean)?.layer;
    const place = { layer: layer ?? 'input', phase: phaseOf(node, sources) };
    for (const output of node.outputs) made.set(output, place);
    return place;
  });
}

function moduleOf(tensor: string): string {
  const known = tensor.replace(/\.(?:weight|bias|running_mean|running_var)\b.*$/u, '');
  // Others have the module before their last name: `self_attention.in_proj_weight`.
  return known === tensor ? tensor.replace(/\.[^.]+$/u, '') : known;
}

function phaseOf(node: Node, sources: readonly (NodePlace | undefined)[]): TrainingPhase {
  const { phase } = node.operator;
  if (phase === 'update') return 'update';
  const backward = node.gradientOf !== undefined || phase === 'backward';
  return backward || sources.some((source) => source?.phase === 'backward') ? 'backward' : 'forward';
}

/** By the name of every value that the graph computes: what `placeName` says of its node. */
export function valuePlaces(graph: Graph): Map<string, string> {
  const places = nodePlaces(graph);
  return new Map(
    graph.nodes.flatMap((node, index) => {
      const place = places[index];
      return place ? node.outputs.map((output) => [output, placeName(node.operator.name, place)] as const) : [];
    }),
  );
}

/** What everything that computes a node of an operator is named after: `layer1.0.conv1:backward:conv2dWeightGradient`. */
export function placeName(operator: string, { layer, phase }: NodePlace): string {
  return `${layer}:${phase}:${operator}`;
}

const placePattern = new RegExp(`([^:/\\s]+):(${trainingPhases.join('|')}):(\\w+)`);

/** Reads what `placeName` wrote out of a longer name; undefined where there is nothing of the kind. */
export function parsePlaceName(name: string): (NodePlace & { readonly operator: string }) | undefined {
  const [, layer, word, operator] = placePattern.exec(name) ?? [];
  const phase = trainingPhases.find((known) => known === word);
  return layer === undefined || operator === undefined || phase === undefined ? undefined : { layer, phase, operator };
}

import type { Graph } from '../graph/graph.ts';
import { typeOf } from '../graph/graph.ts';

/**
 * The layers of a network from the images to the head, each with its parameters: what comes before the first block, then
 * block by block as torchvision and timm name them, then the head, which is `classifier`. Norms between two blocks belong to
 * the block behind them. For rates that fall with the distance from the head, and for layers that begin to train later.
 */
export function layerGroups(graph: Pick<Graph, 'parameters' | 'types'>, classifier: string): string[][] {
  const groups = new Map<string, string[]>();
  for (const parameter of graph.parameters) {
    const name = parameter.startsWith(`${classifier}.`) ? headGroup : blockOf(parameter, groups.size > 1);
    const group = groups.get(name);
    if (group) group.push(parameter);
    else groups.set(name, [parameter]);
  }
  const head = groups.get(headGroup) ?? [];
  groups.delete(headGroup);
  const joined: string[][] = [];
  let waiting: string[] = [];
  for (const group of groups.values()) {
    waiting.push(...group);
    if (waiting.every((parameter) => typeOf(graph, parameter).shape.length < 2)) continue;
    joined.push(waiting);
    waiting = [];
  }
  return [...joined, [...waiting, ...head]];
}

/** The number of each parameter's layer. */
export function layerNumbers(layers: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  return new Map(layers.flatMap((layer, number) => layer.map((parameter) => [parameter, number] as const)));
}

const headGroup = 'the head';

/** A stage's module that a block's own number follows: `layer1.0`, `features.1.0`, `denseblock1.denselayer1`, `block1.block1-0`. */
const ownNumber = /^(\d+|denselayer\d+|block\d+-\d+)$/u;
/** A list of blocks inside a stage: `stages.0.blocks.1`. */
const listOfBlocks = /^(blocks|layers)$/u;

/**
 * The block that a parameter is in: the first part of its name with a number, and the number of a block inside a stage if
 * one follows. What has no number belongs to the stem where it comes first, and else stands for itself.
 */
function blockOf(parameter: string, afterStem: boolean): string {
  const parts = parameter.split('.').slice(0, -1);
  const first = parts.findIndex((part) => /\d/u.test(part));
  if (first < 0) return afterStem ? parts.join('.') : 'stem';
  const next = parts[first + 1] ?? '';
  if (ownNumber.test(next)) return parts.slice(0, first + 2).join('.');
  const isListed = listOfBlocks.test(next) && ownNumber.test(parts[first + 2] ?? '');
  return parts.slice(0, first + (isListed ? 3 : 1)).join('.');
}

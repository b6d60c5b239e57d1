import type { Graph } from '../graph/graph.ts';
import type { DataType } from '../graph/tensor.ts';
import type { NetworkHead } from './registry.ts';
import { networkGraph } from './registry.ts';

/** One tensor of a state dict. */
export interface StateDictEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

const lastBuffer = '.running_var';

/**
 * The tensors of a network's state dict in torch's order: module by module, parameters before buffers, and after each
 * `running_var` the scalar `num_batches_tracked`, which the graph has no use for.
 */
export function stateDictEntriesOf(graph: Pick<Graph, 'parameters' | 'buffers' | 'types'>): StateDictEntry[] {
  const stored = new Set([...graph.parameters, ...graph.buffers]);
  // `types` lists values in the order of their declaration, and the builder declares a module's tensors together.
  return [...graph.types].flatMap(([name, { shape, dtype }]): StateDictEntry[] => {
    if (!stored.has(name)) return [];
    if (!name.endsWith(lastBuffer)) return [{ name, shape, dtype }];
    const counter = `${name.slice(0, -lastBuffer.length)}.num_batches_tracked`;
    return [
      { name, shape, dtype },
      { name: counter, shape: [], dtype: 'int64' },
    ];
  });
}

/** The tensors of an architecture's state dict in torch's order. Throws `RangeError` for an unknown name. */
export function stateDictEntries(name: string, head: NetworkHead): StateDictEntry[] {
  return stateDictEntriesOf(networkGraph(name, head));
}

/** Names of an architecture's parameters in torch's `named_parameters()` order. Throws `RangeError` for an unknown name. */
export function parameterNames(name: string, head: NetworkHead): readonly string[] {
  return networkGraph(name, head).parameters;
}

import { userError } from '../../protocol/errors.ts';
import { refuseUnusable } from '../networks/graphLimits.ts';
import { networkOf } from '../networks/registry.ts';
import type { Graph } from '../graph/graph.ts';
import { type Checkpoint, readCheckpoint } from '../weights/checkpoint.ts';
import { stateShapes } from '../networks/stateShapes.ts';

/**
 * A checkpoint that agrees with itself: its network is one of ours, its weights are that network's and its head's, and
 * finite. Throws a user error as `readCheckpoint` does, before any weight is read where that can be seen.
 */
export function readUsableCheckpoint(file: string): Promise<Checkpoint> {
  return readCheckpoint(file, ({ network, head, preprocessing: { crop } }) =>
    stateShapes(usableGraph(file, () => networkOf(network).graph(head, { batchSize: 1, size: crop }))),
  );
}

/** A graph that a file asks for. Throws a user error that names the file where there is none, or none that can be used. */
export function usableGraph(file: string, make: () => Graph): Graph {
  try {
    const graph = make();
    refuseUnusable(graph, 'running');
    return graph;
  } catch (error) {
    if (error instanceof RangeError) throw userError(`${file} cannot be used: ${error.message}.`, error);
    throw error;
  }
}

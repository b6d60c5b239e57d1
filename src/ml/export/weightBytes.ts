import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import { typeOf } from '../graph/graph.ts';
import { elementCount } from '../graph/tensor.ts';
import { usableGraph } from '../inference/usableCheckpoint.ts';
import { networkOf } from '../networks/registry.ts';

/** Bytes of a checkpoint's weights by what its header says, before any are read. Throws as `usableGraph` does. */
export function weightBytes(file: string, { network, head, preprocessing: { crop } }: CheckpointMetadata): number {
  const graph = usableGraph(file, () => networkOf(network).graph(head, { batchSize: 1, size: crop }));
  const names = [...graph.parameters, ...graph.buffers];
  return names.reduce((sum, name) => sum + 4 * elementCount(typeOf(graph, name).shape), 0);
}

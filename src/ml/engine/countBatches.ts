import type { StateDict } from '../graph/tensor.ts';

const counterSuffix = '.num_batches_tracked';

/**
 * The state with torch's count of the batches that a batch norm has seen raised by `batches`, for those norms whose
 * `running_mean` is among the statistics that training moves. Graphs do not read these counts; torch's files hold them.
 */
export function countBatches(state: StateDict, moves: (statistic: string) => boolean, batches: number): StateDict {
  return new Map(
    [...state].map(([name, tensor]) => {
      const counts = name.endsWith(counterSuffix) && moves(`${name.slice(0, -counterSuffix.length)}.running_mean`);
      if (!counts || tensor.dtype !== 'int64') return [name, tensor];
      return [name, { ...tensor, data: tensor.data.map((count) => count + BigInt(batches)) }];
    }),
  );
}

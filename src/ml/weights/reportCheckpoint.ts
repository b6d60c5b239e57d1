import * as z from 'zod';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import type { StateDict } from '../graph/tensor.ts';
import { type TorchValue, withTorchFile } from './torchFile.ts';
import { loadWeights } from './torchStateDict.ts';

/** A network that the report's script trained, with all that is needed to use it. */
export interface ReportCheckpoint {
  /** As the script names it: `densenet169`, `ConvNet1`, ... */
  readonly modelName: string;
  /** Sizes of the head's hidden layers. */
  readonly hidden: readonly number[];
  /** By index: the script's `class_to_idx`, with the names of its `labelsdict`. */
  readonly classes: readonly ClassLabel[];
  readonly state: StateDict;
}

const count = z.number().int().positive();
const contentSchema = z.object({
  model_name: z.string().min(1),
  c_hidden: z.array(count),
  c_out: count,
  class_to_idx: z.map(z.string(), z.number().int().min(0)),
  labelsdict: z.map(z.string(), z.string()),
});

function fieldsOf(root: TorchValue): Record<string, TorchValue> {
  const fields = root instanceof Map ? [...root].filter(([key]) => typeof key === 'string') : [];
  return Object.fromEntries(fields) as Record<string, TorchValue>;
}

/**
 * Reads a checkpoint of the report's script (`checkpoint.pth`, in either of torch's formats). Index, folder and name of
 * a class come from its own `class_to_idx`, not from sorting. Throws a user error where a field is missing or the
 * indices are not 0 to the number of classes, and as `withTorchFile` does.
 */
export function readReportCheckpoint(path: string): Promise<ReportCheckpoint> {
  return withTorchFile(path, async (file) => {
    const content = contentSchema.safeParse(fieldsOf(file.root));
    if (!content.success) {
      const missing = content.error.issues.map((issue) => issue.path[0]).join(', ');
      throw userError(
        `${path} is no checkpoint of the report's script (look at ${missing}): give it as weights of a network instead.`,
      );
    }
    const { model_name: modelName, c_hidden: hidden, c_out: size, class_to_idx: indices, labelsdict } = content.data;
    const classes = [...indices]
      .map(([folder, index]) => ({ index, folder, name: labelsdict.get(folder) ?? folder }))
      .toSorted((a, b) => a.index - b.index);
    if (classes.length !== size || classes.some(({ index }, place) => index !== place)) {
      throw userError(`${path} does not number its ${size} classes from 0 on: train the network again.`);
    }
    return { modelName, hidden, classes, state: await loadWeights(file) };
  });
}

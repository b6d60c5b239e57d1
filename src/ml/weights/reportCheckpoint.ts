import * as z from 'zod';
import { mostClasses, mostHiddenLayers, mostHiddenUnits, name, whole } from '../../protocol/bounded.ts';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import { someOf } from '../../protocol/someOf.ts';
import type { StateDict } from '../graph/tensor.ts';
import { applyWeights, fittingNames } from './applyWeights.ts';
import type { StateShapes } from '../networks/stateShapes.ts';
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

const contentSchema = z.object({
  model_name: name(1),
  c_hidden: z.array(whole(1, mostHiddenUnits)).max(mostHiddenLayers),
  c_out: whole(1, mostClasses),
  class_to_idx: z.map(name(), whole(0, mostClasses - 1)),
  labelsdict: z.map(name(), name()),
});

function fieldsOf(root: TorchValue): Record<string, TorchValue> {
  const fields = root instanceof Map ? [...root].filter(([key]) => typeof key === 'string') : [];
  return Object.fromEntries(fields) as Record<string, TorchValue>;
}

/**
 * Reads a checkpoint of the report's script (`checkpoint.pth`, in either of torch's formats). Index, folder and name of
 * a class come from its own `class_to_idx`, not from sorting. Throws a user error where a field is missing or the
 * indices are not 0 to the number of classes, and as `withTorchFile` does. Where `shapesOf` is given, the weights are
 * those that it says, of these shapes, and finite.
 */
export function readReportCheckpoint(
  path: string,
  shapesOf?: (said: Omit<ReportCheckpoint, 'state'>) => StateShapes,
): Promise<ReportCheckpoint> {
  return withTorchFile(path, async (file) => {
    const content = contentSchema.safeParse(fieldsOf(file.root));
    if (!content.success) {
      const missing = someOf([...new Set(content.error.issues.map((issue) => String(issue.path[0])))]);
      throw userError(
        `${path} is not a checkpoint of the report's script (look at ${missing}): give it as weights of a network instead.`,
      );
    }
    const { model_name: modelName, c_hidden: hidden, c_out: size, class_to_idx: indices, labelsdict } = content.data;
    const classes = [...indices]
      .map(([folder, index]) => ({ index, folder, name: labelsdict.get(folder) ?? folder }))
      .toSorted((a, b) => a.index - b.index);
    if (classes.length !== size || classes.some(({ index }, place) => index !== place)) {
      throw userError(`${path} does not number its ${size} classes from 0 on: train the network again.`);
    }
    const said = { modelName, hidden, classes };
    const shapes = shapesOf?.(said);
    if (!shapes) return { ...said, state: await loadWeights(file) };
    const options = { source: path, network: modelName };
    const state = await loadWeights(file, (forms) => fittingNames(shapes, forms, options));
    return { ...said, state: applyWeights(shapes, state, options) };
  });
}

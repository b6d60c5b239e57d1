import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import classes from '../../../media/imagenet-classes.json' with { type: 'json' };

/**
 * The 1000 classes of ImageNet (ILSVRC 2012) in the order in which networks put them out: WordNet's identifier as the
 * folder, and a name. `media/README.md` says where they come from.
 */
export const imagenetClasses: readonly ClassLabel[] = classes.map((label, index) => ({ index, ...label }));

import { resolve } from 'node:path';
import { usageError } from '../../protocol/errors.ts';
import { fits, type Preprocessing } from '../../protocol/preprocessing.ts';
import { isWeightSet } from '../../protocol/weightSetName.ts';
import { canonicalName } from '../networks/registry.ts';
import type { ClassifierSource } from '../inference/loadClassifier.ts';
import { checkpointPath } from '../../runs/checkpointPath.ts';
import type { OptionValues } from './configFlags.ts';
import { preprocessingFromFlags } from './networkFlags.ts';
import { backbonePath, weightsPath } from './trainingConfigFrom.ts';

/** The one network that the flags of `predict` name. Throws a usage error for none and for two. */
export function classifierFromFlags(options: OptionValues): ClassifierSource {
  const { checkpoint, arch, backbone, weights } = options;
  const named = [checkpoint, arch, backbone].filter((value) => value !== undefined);
  if (named.length !== 1) {
    throw usageError('Name one network: --checkpoint FILE, --arch NAME (ImageNet’s classes), or --backbone FILE.onnx.');
  }
  if (weights !== undefined && arch === undefined) throw usageError('--weights can only be used with --arch NAME.');
  if (weights === 'none') throw usageError('A network with random weights predicts nothing; leave out --weights none.');
  const file = typeof weights === 'string' && !isWeightSet(weights) ? { weights: weightsPath(weights) } : undefined;
  const foreign = foreignFacts(options);
  if (Object.keys(foreign).length > 0 && backbone === undefined && file === undefined) {
    throw usageError('--preprocess, --mean, --std, --scale, --channels, --fit and --labels can only be used with --backbone FILE or --weights FILE.'); // prettier-ignore
  }
  if (typeof backbone === 'string') return { kind: 'backbone', file: backbonePath(backbone), ...foreign };
  if (typeof arch === 'string') {
    const set = typeof weights === 'string' ? { weights } : {};
    return { kind: 'architecture', name: canonicalName(arch), ...(file ?? set), ...foreign };
  }
  const path = checkpointPath(resolve(String(checkpoint)));
  // An export, which carries all that a checkpoint does.
  return { kind: /\.onnx$/i.test(path) ? 'backbone' : 'checkpoint', file: path };
}

/** What the flags say of a file that does not say it. */
function foreignFacts(options: OptionValues): { preprocessing?: Partial<Preprocessing>; labels?: string } {
  const { labels } = options;
  const fit = fits.find((name) => name === options['fit']);
  const pixels = preprocessingFromFlags(options);
  const preprocessing = pixels || fit ? { ...pixels, ...(fit && { fit }) } : undefined;
  return {
    ...(preprocessing && { preprocessing }),
    ...(typeof labels === 'string' ? { labels: resolve(labels) } : {}),
  };
}

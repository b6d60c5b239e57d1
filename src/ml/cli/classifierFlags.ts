import { resolve } from 'node:path';
import { usageError } from '../../protocol/errors.ts';
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
  const preprocessing = preprocessingFromFlags(options);
  if (preprocessing && backbone === undefined) {
    throw usageError('--preprocess, --mean, --std, --scale and --channels can only be used with --backbone FILE.');
  }
  if (typeof backbone === 'string') {
    return { kind: 'backbone', file: backbonePath(backbone), ...(preprocessing ? { preprocessing } : {}) };
  }
  if (weights !== undefined && arch === undefined) throw usageError('--weights can only be used with --arch NAME.');
  if (weights === 'none') throw usageError('A network with random weights predicts nothing; leave out --weights none.');
  if (typeof arch === 'string') {
    const file = typeof weights === 'string' ? { weights: weightsPath(weights) } : {};
    return { kind: 'architecture', name: canonicalName(arch), ...file };
  }
  return { kind: 'checkpoint', file: checkpointPath(resolve(String(checkpoint))) };
}

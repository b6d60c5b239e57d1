import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import { readFeatureExtractor, type FeatureExtractor } from '../graph/onnx/backbone.ts';
import { suggestPreset } from '../inference/backbonePreprocessing.ts';
import type { BackboneFacts } from './runNetwork.ts';

export interface Backbone extends BackboneFacts {
  readonly extractor: FeatureExtractor;
  /** How a checkpoint refers to the file. */
  readonly reference: Extract<CheckpointMetadata['network'], { kind: 'backbone' }>;
}

/**
 * Reads the ONNX file that a configuration names and cuts it off after its features. `log` hears which constants are
 * taken for its pixels where the configuration says nothing. Throws a user error where the file cannot be used.
 */
export async function readBackbone(
  network: Extract<TrainingConfig['network'], { kind: 'backbone' }>,
  log: (message: string) => void,
): Promise<Backbone> {
  const file = resolve(network.file);
  const bytes = await readFile(file).catch((error: unknown) => {
    throw userError(`${file} cannot be read; name an ONNX file.`, error);
  });
  const extractor = extract(file, bytes, network.featuresOutput);
  const { preset, reason } = suggestPreset(bytes);
  if (network.preprocessing === undefined) {
    log(`Nothing says how ${basename(file)} wants its pixels (--preprocess), so \`${preset}\` is taken: ${reason}.`);
  }
  return {
    extractor,
    preset,
    features: extractor.features,
    imageSize: extractor.imageSize,
    reference: {
      kind: 'backbone',
      file,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      featuresOutput: extractor.featuresOutput,
      features: extractor.features,
    },
  };
}

function extract(file: string, bytes: Uint8Array, featuresOutput: string | undefined): FeatureExtractor {
  try {
    return readFeatureExtractor(bytes, featuresOutput);
  } catch (error) {
    if (error instanceof RangeError) throw userError(`${basename(file)}: ${error.message}.`, error);
    throw error;
  }
}

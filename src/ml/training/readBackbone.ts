import { basename, resolve } from 'node:path';
import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import type { FeatureExtractor } from '../onnx/foreign/backbone.ts';
import { exportedFacts, presetConstants, suggestPreset } from '../inference/backbonePreprocessing.ts';
import { featuresOf, readOnnxFile, sha256Of } from '../inference/foreignModel.ts';
import { tryModel } from '../inference/modelTrial.ts';
import type { BackboneFacts } from './runNetwork.ts';

export interface Backbone extends BackboneFacts {
  readonly file: string;
  readonly extractor: FeatureExtractor;
  /** How a checkpoint refers to the file. */
  readonly reference: Extract<CheckpointMetadata['network'], { kind: 'backbone' }>;
}

/**
 * Reads the ONNX file that a configuration names and cuts it off after its features. `log` hears which constants are
 * taken for its pixels where neither the configuration nor the file says so. Throws a user error where the file cannot be
 * used.
 */
export async function readBackbone(
  network: Extract<TrainingConfig['network'], { kind: 'backbone' }>,
  imageSize: number,
  log: (message: string) => void,
): Promise<Backbone> {
  const { featuresOutput } = network;
  const file = resolve(network.file);
  const output = featuresOutput === undefined ? {} : { output: featuresOutput };
  await tryModel(file, { kind: 'features', ...output }, imageSize);
  const bytes = await readOnnxFile(file);
  const extractor = featuresOf(file, bytes, featuresOutput);
  const exported = exportedFacts(file, extractor)?.preprocessing;
  return {
    file,
    extractor,
    constants: exported ?? suggestedFor(file, bytes, network.preprocessing === undefined, log),
    resize: exported?.resize,
    features: extractor.features,
    imageSize: extractor.imageSize,
    reference: {
      kind: 'backbone',
      file,
      sha256: sha256Of(bytes),
      featuresOutput: extractor.featuresOutput,
      features: extractor.features,
    },
  };
}

function suggestedFor(
  file: string,
  bytes: Uint8Array,
  said: boolean,
  log: (message: string) => void,
): Omit<Preprocessing, 'resize' | 'crop'> {
  const { preset, reason } = suggestPreset(bytes);
  if (said) {
    log(`Nothing says how ${basename(file)} wants its pixels (--preprocess), so \`${preset}\` is taken: ${reason}.`);
  }
  return presetConstants(preset);
}

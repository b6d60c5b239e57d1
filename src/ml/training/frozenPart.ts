import type { Preprocessing } from '../../protocol/preprocessing.ts';
import type { Engine, Feeds } from '../engine/engine.ts';
import type { StateDict, Tensor } from '../graph/tensor.ts';
import { featuresInput } from '../inference/backboneClassifier.ts';
import { openForeignModel } from '../inference/foreignModel.ts';
import { normalizeImages } from '../inference/normalizeImages.ts';
import { fitToMemory } from './fitToMemory.ts';
import type { Backbone } from './readBackbone.ts';
import { imagesInput, type RunNetwork } from './runNetwork.ts';

/** What runs ahead of the training step: images become the feeds of the part that trains. */
export interface FrozenPart {
  /** Whether it computes anything, so that its results are worth keeping. */
  readonly computes: boolean;
  /** images uint8 `[N, 3, S, S]` -> inputs of `RunNetwork.training` but for masks. */
  feeds(images: Tensor): Promise<Feeds>;
  dispose(): Promise<void>;
}

interface FrozenPartOptions {
  readonly engine: Engine;
  readonly device: string;
  readonly network: RunNetwork;
  readonly state: StateDict;
  readonly backbone?: Backbone;
  readonly log: (message: string) => void;
}

/** Compiles what of a run's network is frozen. */
export async function frozenPart(options: FrozenPartOptions): Promise<FrozenPart> {
  const { engine, device, network, state, backbone, log } = options;
  if (backbone) return backbonePart(options, backbone, network.preprocessing);
  if (!network.prefix) {
    return {
      computes: false,
      feeds: (images) => Promise.resolve(new Map([[imagesInput, images]])),
      dispose: () => Promise.resolve(),
    };
  }
  const model = fitToMemory(await engine.compileInference(network.prefix, state, device), log);
  return {
    computes: true,
    feeds: (images) => model.run(new Map([[imagesInput, images]])),
    dispose: () => model.dispose(),
  };
}

async function backbonePart(
  { engine, device, log }: FrozenPartOptions,
  backbone: Backbone,
  preprocessing: Preprocessing,
): Promise<FrozenPart> {
  const model = await openForeignModel(backbone.file, backbone.extractor, backbone.features, { engine, device });
  const prepared = {
    run: async (feeds: Feeds) => {
      const images = feeds.get(imagesInput);
      if (images?.dtype !== 'uint8') throw new Error('a backbone is fed with images');
      return new Map([[featuresInput, await model.run(normalizeImages(images, preprocessing))]]);
    },
    dispose: () => model.dispose(),
  };
  const parts = fitToMemory(prepared, log);
  return {
    computes: true,
    feeds: (images) => parts.run(new Map([[imagesInput, images]])),
    dispose: () => parts.dispose(),
  };
}

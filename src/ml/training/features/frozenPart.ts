import type { Engine, Feeds, InferenceModel } from '../../engine/engine.ts';
import type { StateDict, Tensor } from '../../graph/tensor.ts';
import { type Backbone, openFeatures } from '../../inference/openBackbone.ts';
import { imagesInput } from '../../networks/network.ts';
import { fitToMemory } from '../loop/fitToMemory.ts';
import type { RunNetwork } from '../run/runNetwork.ts';

/** What runs ahead of the training step: images become the feeds of the part that trains. */
export interface FrozenPart {
  /** Whether it computes anything, so that its results are worth keeping. */
  readonly computes: boolean;
  /** images uint8 `[N, 3, S, S]` -> inputs of `RunNetwork.training` but for masks. */
  feeds(images: Tensor, signal?: AbortSignal): Promise<Feeds>;
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

/** Compiles what of a run's network is frozen: the ONNX file that it starts from, or its first layers. */
export async function frozenPart(options: FrozenPartOptions): Promise<FrozenPart> {
  const frozen = await frozenModel(options);
  if (!frozen) {
    return {
      computes: false,
      feeds: (images) => Promise.resolve(new Map([[imagesInput, images]])),
      dispose: () => Promise.resolve(),
    };
  }
  const model = fitToMemory(frozen, options.log);
  return {
    computes: true,
    feeds: (images, signal) => model.run(new Map([[imagesInput, images]]), signal),
    dispose: () => model.dispose(),
  };
}

async function frozenModel(options: FrozenPartOptions): Promise<InferenceModel | undefined> {
  const { engine, device, network, state, backbone } = options;
  if (backbone) return openFeatures(backbone, network.preprocessing, { engine, device });
  return network.prefix && engine.compileInference(network.prefix, state, device);
}

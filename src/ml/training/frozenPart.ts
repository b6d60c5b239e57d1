import type { Preprocessing } from '../../protocol/preprocessing.ts';
import type { Engine, Feeds } from '../engine/engine.ts';
import type { StateDict, Tensor } from '../graph/tensor.ts';
import { inParts } from './inParts.ts';
import { featuresInput, imagesInput, pixelGraph, type RunNetwork } from './runNetwork.ts';

/** What runs ahead of the training step: images become the feeds of the part that trains. */
export interface FrozenPart {
  /** Whether it computes anything, so that its results are worth keeping. */
  readonly computes: boolean;
  /** images uint8 `[N, 3, S, S]` -> inputs of `RunNetwork.training` but for masks. */
  feeds(images: Tensor): Promise<Feeds>;
  dispose(): Promise<void>;
}

/** An ONNX file as a frozen feature extractor, cut at its features. */
export interface BackboneModel {
  readonly bytes: Uint8Array;
  readonly input: string;
  readonly output: string;
}

interface FrozenPartOptions {
  readonly engine: Engine;
  readonly device: string;
  readonly network: RunNetwork;
  readonly state: StateDict;
  readonly backbone?: BackboneModel;
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
  const model = inParts(await engine.compileInference(network.prefix, state, device), log);
  return {
    computes: true,
    feeds: (images) => model.run(new Map([[imagesInput, images]])),
    dispose: () => model.dispose(),
  };
}

async function backbonePart(
  { engine, device, log }: FrozenPartOptions,
  backbone: BackboneModel,
  preprocessing: Preprocessing,
): Promise<FrozenPart> {
  const pixels = await engine.compileInference((batchSize) => pixelGraph(preprocessing, batchSize), new Map(), device);
  const model = await engine.compileOnnx(backbone.bytes, device);
  const both = inParts(
    {
      run: async (feeds) => {
        const [prepared] = (await pixels.run(feeds)).values();
        if (!prepared) throw new Error('the pixel graph gave nothing');
        const outputs = await model.run(new Map([[backbone.input, prepared]]));
        const features = outputs.get(backbone.output);
        if (!features) throw new Error(`the backbone gave no ${backbone.output}`);
        return new Map([[featuresInput, features]]);
      },
      dispose: async () => {
        await pixels.dispose();
        await model.dispose();
      },
    },
    log,
  );
  return {
    computes: true,
    feeds: (images) => both.run(new Map([[imagesInput, images]])),
    dispose: () => both.dispose(),
  };
}

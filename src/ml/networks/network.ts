import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import type { TrainingConfig, UsualSizes } from '../../protocol/trainingConfig.ts';
import type { Graph } from '../graph/graph.ts';
import type { PixelPreparation } from '../graph/pixelConstants.ts';
import type { Initialisation } from './initialise.ts';
import type { HeadOptions } from './layers/head.ts';

/** How checkpoints and runs name a network. */
export type NetworkReference = CheckpointMetadata['network'];
/** How they name one that is an ONNX file. */
export type OnnxFileReference = Extract<NetworkReference, { kind: 'backbone' }>;

/** Input of a graph that starts from images: `[N, 3, S, S]`, decoded pixels (uint8) or prepared ones (float32). */
export const imagesInput = 'images';
/** Input of a graph that starts from the features of an ONNX file: float32 `[N, F]`. */
export const featuresInput = 'features';

export interface GraphOptions {
  readonly batchSize: number;
  /** Side in pixels of the square images. */
  readonly size: number;
  /** How the graph prepares decoded pixels; without it, it is fed with prepared ones. */
  readonly pixels?: PixelPreparation;
  /** Statistics of batch norm: the running ones without it. */
  readonly batchNorm?: 'running' | 'batch';
  /** Rate of the dropout that the network has itself, `own` for the one that its definition has: 0 without it. */
  readonly dropout?: number | 'own';
}

/** What a network wants of its images. */
export interface ImageDemands {
  readonly constants: Omit<Preprocessing, 'resize' | 'crop'>;
  /** Taken where none are chosen. */
  readonly usual: UsualSizes;
  /** The only side in pixels that it takes; undefined where it takes others too. */
  readonly size: number | undefined;
  /** The sides that it takes are multiples of this; undefined where it takes any. */
  readonly multipleOf?: number | undefined;
  /** The short side that its images have to be resized to; undefined where it may be chosen. */
  readonly resize: number | undefined;
}

/** A network that trains and classifies, whatever it comes from: one of ours by name, or an ONNX file. */
export interface Network {
  readonly reference: NetworkReference;
  /** Module that the head is. */
  readonly classifier: string;
  /** Licence of the weights that it has from elsewhere, where it is known. */
  readonly licence?: string | undefined;
  /** How new weights are drawn. */
  readonly initialise: Initialisation;
  readonly images: ImageDemands;
  /** The methods that it can be trained by. */
  readonly methods: readonly TrainingConfig['method'][];
  /** The ONNX file whose features the graph starts from. It is frozen. Without it, the graph starts from images. */
  readonly onnxFile?: OnnxFileReference;
  /** All of it that is ours, with a head: images or features to log-probabilities `[N, classes]`. */
  readonly graph: (head: HeadOptions, options: GraphOptions) => Graph;
}

/** Whether two references are to one network. An ONNX file may lie elsewhere: it is known by its hash. */
export function isSameNetwork(a: NetworkReference, b: NetworkReference): boolean {
  return identityOf(a) === identityOf(b);
}

function identityOf(reference: NetworkReference): string {
  return JSON.stringify({ ...reference, file: undefined });
}

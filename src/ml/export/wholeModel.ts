import { userError } from '../../protocol/errors.ts';
import { exportedNames } from '../../protocol/exportFormat.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { float32Value, onnxDataTypes, onnxNumber, type OnnxModel, type OnnxValueInfo } from '../onnx/onnxModel.ts';
import { freshPrefix, renamed, valuesOf } from './joinBackbone.ts';
import { createParts, leastOpset } from './onnxParts.ts';
import { type PixelLayout, preparePixels } from './preparePart.ts';
import { type Telling, tellProbabilities } from './tellPart.ts';

export interface WholeOptions extends Telling {
  readonly layout: PixelLayout;
  readonly preprocessing: Preprocessing;
}

/**
 * A network's model, as `networkModel` writes it at temperature 1, with all around it: pixels of any size come in,
 * probabilities `[N, classes]` come out. Throws a user error where the model is of an older opset than what is around it.
 */
export function wholeModel(network: OnnxModel, { layout, preprocessing, ...telling }: WholeOptions): OnnxModel {
  const opset = network.opsetImport.find(({ domain }) => (domain ?? '') === '');
  if (onnxNumber(opset?.version) < leastOpset) {
    throw userError(
      `The ONNX file that the network starts from is of opset ${onnxNumber(opset?.version)}, and resize and crops need ${leastOpset}: export with --input normalized, or save that file in opset ${leastOpset} and train again.`,
    );
  }
  const { pixels, probabilities, rejected, input, logProbabilities } = exportedNames;
  if (preprocessing.resize < preprocessing.crop) {
    throw userError(
      `The checkpoint resizes images to ${preprocessing.resize} pixels, less than its crop of ${preprocessing.crop}: export with --input normalized.`,
    );
  }
  const values = valuesOf(network);
  const own: ReadonlySet<string> = new Set([pixels, probabilities, rejected]);
  const inNetwork = freshPrefix('network', values);
  const inside = values.some((name) => own.has(name))
    ? renamed(network, (name) => (own.has(name) ? `${inNetwork}${name}` : name))
    : network;
  const before = createParts(freshPrefix('prepare', values));
  preparePixels(before, pixels, layout, preprocessing, telling.crops, input);
  const behind = createParts(freshPrefix('tell', values));
  tellProbabilities(behind, logProbabilities, telling, { probabilities, rejected });
  const { graph } = inside;
  return {
    ...inside,
    graph: {
      ...graph,
      node: [...before.nodes, ...graph.node, ...behind.nodes],
      initializer: [...before.initializers, ...(graph.initializer ?? []), ...behind.initializers],
      input: [pixelsValue(pixels, layout)],
      output: [
        float32Value(probabilities, ['N', telling.classes]),
        ...(telling.threshold === undefined ? [] : [typed(rejected, boolean, ['N'])]),
      ],
    },
  };
}

const boolean = 9;

function pixelsValue(name: string, layout: PixelLayout): OnnxValueInfo {
  return typed(name, onnxDataTypes.uint8, layout === 'hwc' ? ['H', 'W', 3] : ['N', 3, 'H', 'W']);
}

function typed(name: string, elemType: number, dims: readonly (string | number)[]): OnnxValueInfo {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

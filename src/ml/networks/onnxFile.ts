import { presetConstants } from '../../protocol/preprocessing.ts';
import { createGraphBuilder, finishGraph, input } from '../graph/builder.ts';
import { torchDefaults } from './initialise.ts';
import { buildHead } from './layers/head.ts';
import { usualSize } from './weightSets.ts';
import { featuresInput, type ImageDemands, type Network, type OnnxFileReference } from './network.ts';

/** Module name of the head on an ONNX file. */
const classifier = 'classifier';

/** What is known of an ONNX file's images where it is not open: a checkpoint says itself how they were prepared. */
const anyImages: ImageDemands = {
  constants: presetConstants('imagenet'),
  usual: { crop: usualSize },
  size: undefined,
  resize: undefined,
};

/** An ONNX file as a network: it makes the features, frozen, and a head of ours is what trains. */
export function onnxFileNetwork(reference: OnnxFileReference, images = anyImages): Network {
  return {
    reference,
    classifier,
    initialise: torchDefaults,
    images,
    methods: ['head'],
    onnxFile: reference,
    graph: (head, { batchSize }) => {
      const builder = createGraphBuilder();
      const features = input(builder, featuresInput, [batchSize, reference.features]);
      return finishGraph(builder, [buildHead(builder, classifier, features, head)]);
    },
  };
}

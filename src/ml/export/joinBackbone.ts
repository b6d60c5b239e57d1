import type { FeatureExtractor } from '../onnx/foreign/featuresAndScores.ts';
import type { OnnxModel } from '../onnx/onnxModel.ts';

/**
 * The head behind the features of its backbone, as one model. The head's operators (Gemm, Relu, LogSoftmax of matrices)
 * mean the same in every opset that a backbone can have, so the backbone's own stays. The images are called `input`, and
 * values of the head that are in `kept` keep their names.
 */
export function joinBackbone(
  features: FeatureExtractor,
  head: OnnxModel,
  input: string,
  kept: readonly string[],
): OnnxModel {
  const backbone = features.model;
  const taken = valuesOf(backbone);
  const inHead = freshPrefix('head', taken);
  const inBackbone = freshPrefix('backbone', taken);
  const ends = new Set(['', features.output, ...kept]);
  const behind = renamed(head, (name) => (ends.has(name) ? name : `${inHead}${name}`));
  const before = renamed(backbone, (name) => {
    if (name === features.input) return input;
    return name === input || kept.includes(name) ? `${inBackbone}${name}` : name;
  });
  return {
    ...backbone,
    producerName: 'fivecrop',
    metadataProps: [],
    graph: {
      ...before.graph,
      node: [...before.graph.node, ...behind.graph.node],
      initializer: [...(before.graph.initializer ?? []), ...(behind.graph.initializer ?? [])],
      output: behind.graph.output,
    },
  };
}

/** A beginning that none of the names has: a backbone may itself be what was exported before. */
export function freshPrefix(word: string, names: readonly string[]): string {
  let prefix = `${word}/`;
  for (let number = 2; names.some((name) => name.startsWith(prefix)); number++) prefix = `${word}${number}/`;
  return prefix;
}

/** The same model with other names for its values, but for those of the graphs within its nodes. */
export function renamed(model: OnnxModel, rename: (name: string) => string): OnnxModel {
  const { graph } = model;
  return {
    ...model,
    graph: {
      ...graph,
      node: graph.node.map((node) => ({
        ...node,
        name: '',
        input: node.input.map(rename),
        output: node.output.map(rename),
      })),
      initializer: (graph.initializer ?? []).map((tensor) => ({ ...tensor, name: rename(tensor.name ?? '') })),
      input: graph.input.map((value) => ({ ...value, name: rename(value.name) })),
      output: graph.output.map((value) => ({ ...value, name: rename(value.name) })),
    },
  };
}

/** Names of all values of a model. */
export function valuesOf({ graph }: OnnxModel): string[] {
  const named = [...graph.input, ...(graph.initializer ?? [])].map(({ name = '' }) => name);
  return [...named, ...graph.node.flatMap(({ output }) => output)];
}

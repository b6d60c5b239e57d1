import { indexModel, valuesRead } from './modelIndex.ts';
import { float32Value, type OnnxModel, type OnnxNode } from './onnxModel.ts';

/** A network within a model. */
export interface ModelPart {
  /** Its images: float32 `[N, 3, imageSize, imageSize]`. */
  readonly input: string;
  readonly imageSize: number;
  /** What it gives: float32 `[N, classes]`. */
  readonly output: string;
  readonly classes: number;
}

/**
 * The model of a network that lies within another. Throws `RangeError` with a clause for the user where it does not.
 */
export function modelPart(model: OnnxModel, { input, imageSize, output, classes }: ModelPart): OnnxModel {
  const { graph } = model;
  const { producers } = indexModel(graph);
  const needed = new Set<OnnxNode>();
  const open = [output];
  let readsInput = false;
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value === input) {
      readsInput = true;
      continue;
    }
    const node = producers.get(value);
    if (!node || needed.has(node)) continue;
    needed.add(node);
    open.push(...valuesRead(node));
  }
  if (!readsInput) throw new RangeError(`no network was found between its values ${input} and ${output}`);
  const node = graph.node.filter((each) => needed.has(each));
  const read = new Set(node.flatMap(valuesRead));
  return {
    ...model,
    graph: {
      ...graph,
      node,
      initializer: (graph.initializer ?? []).filter(({ name = '' }) => read.has(name)),
      input: [float32Value(input, ['N', 3, imageSize, imageSize])],
      output: [float32Value(output, ['N', classes])],
    },
  };
}

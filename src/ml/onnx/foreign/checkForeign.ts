import type { OnnxAttribute, OnnxFunction, OnnxGraph, OnnxModel, OnnxTensor } from '../onnxModel.ts';

/** Far more than networks have; to open a hundred thousand takes ONNX Runtime most of a minute. */
const mostNodes = 30_000;
/** A tensor's `dataLocation` for data in another file. */
const external = 1;

/**
 * Refuses a foreign model of a form that no exporter writes, or whose weights lie in another file: that file could be
 * any, so none is read, wherever the model names it. Throws `RangeError` with a sentence for the user.
 */
export function checkForeign({ graph, functions = [] }: OnnxModel): void {
  if (graph.node.length > mostNodes) {
    throw new RangeError(`the ONNX file has ${graph.node.length} nodes, and ${mostNodes} are the most`);
  }
  refuseTwiceMade(graph);
  const graphs = [graph];
  const enter = ({ node = [], attributeProto = [] }: Pick<OnnxFunction, 'node' | 'attributeProto'>) => {
    for (const attribute of attributeProto) checkAttribute(attribute, graphs);
    for (const { attribute = [] } of node) for (const each of attribute) checkAttribute(each, graphs);
  };
  for (const each of functions) enter(each);
  for (let next = graphs.pop(); next; next = graphs.pop()) {
    refuseExternal(next.initializer ?? []);
    refuseExternal((next.sparseInitializer ?? []).flatMap(({ values, indices }) => [values, indices]));
    enter(next);
  }
}

/** The same value made by two nodes means one thing to one reader and another to the next. */
function refuseTwiceMade({ node: nodes }: OnnxGraph): void {
  const made = new Set<string>();
  for (const name of nodes.flatMap(({ output }) => output)) {
    if (name !== '' && made.has(name)) throw new RangeError(`two nodes of the ONNX file make the value ${name}`);
    made.add(name);
  }
}

/** Graphs within the attribute are added to `found`. */
function checkAttribute(attribute: OnnxAttribute, found: OnnxGraph[]): void {
  const { t, tensors = [], sparseTensor, sparseTensors = [], g, graphs = [] } = attribute;
  refuseExternal([t, ...tensors]);
  refuseExternal([sparseTensor, ...sparseTensors].flatMap((sparse) => [sparse?.values, sparse?.indices]));
  for (const graph of [g, ...graphs]) if (graph) found.push(graph);
}

function refuseExternal(tensors: readonly (OnnxTensor | null | undefined)[]): void {
  for (const tensor of tensors) {
    if (tensor?.dataLocation === external || (tensor?.externalData?.length ?? 0) > 0) {
      throw new RangeError('the ONNX file keeps its weights in a second file; save it again as one file');
    }
  }
}

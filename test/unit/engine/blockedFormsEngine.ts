import type { Engine } from '../../../src/ml/engine/engine.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createTrainingModel } from '../../../src/ml/engine/onnxruntime/trainingModel.ts';
import type { Node } from '../../../src/ml/graph/graph.ts';
import { blockableNodes, layoutsOf, type AssignLayouts } from '../../../src/ml/lowering/blocked/assignLayouts.ts';

/** Blocks for all nodes that have a form for them and that `choose` takes, whether it pays or not. */
export function blocksFor(choose: (node: Node) => boolean = () => true): AssignLayouts {
  return (graph, block) => layoutsOf(graph, blockableNodes(graph, block).filter(choose));
}

/** ONNX Runtime's CPU with blocked images for all nodes that `choose` takes. */
export function blockedFormsEngine(choose?: (node: Node) => boolean): Engine {
  return {
    ...onnxEngine,
    compileTraining: (graphFor, initial, options) =>
      createTrainingModel(graphFor, initial, options, undefined, { assign: blocksFor(choose) }),
  };
}

import type { Graph } from '../graph/graph.ts';
import { headTensorCount } from './layers/head.ts';
import type { HeadOptions } from './layers/head.ts';
import { networkGraph } from './registry.ts';

/** Which part of a network trains; see `trainableParameters`. */
export type TrainableChoice =
  | { readonly method: 'head'; readonly classifier: string }
  | { readonly method: 'lora'; readonly classifier: string; readonly isAdapter: (name: string) => boolean }
  | { readonly method: 'top'; readonly topTensors: number }
  | { readonly method: 'full' | 'scratch' };

/**
 * The parameters that a method moves, and no other:
 * - `head`: those of the module that was put in the classifier's place (`classifier`: `fc` or `classifier`),
 * - `top`: the last `topTensors` parameter tensors in torch's order, the head's included,
 * - `lora`: those of the head, and of the adapters that the graph has beside its Linears,
 * - `full`, `scratch`: all.
 *
 * Throws `RangeError` where `topTensors` is not between 1 and the number of tensors there are.
 */
export function trainableParameters(graph: Pick<Graph, 'parameters'>, choice: TrainableChoice): Set<string> {
  const { parameters } = graph;
  if (choice.method === 'head') {
    return new Set(parameters.filter((name) => name.startsWith(`${choice.classifier}.`)));
  }
  if (choice.method === 'lora') {
    return new Set(parameters.filter((name) => name.startsWith(`${choice.classifier}.`) || choice.isAdapter(name)));
  }
  if (choice.method !== 'top') return new Set(parameters);
  const { topTensors } = choice;
  if (!Number.isInteger(topTensors) || topTensors < 1 || topTensors > parameters.length) {
    throw new RangeError(
      `the top ${topTensors} parameter tensors cannot train: choose a whole number from 1 to ${parameters.length}`,
    );
  }
  return new Set(parameters.slice(-topTensors));
}

/**
 * The `topTensors` that is the same as the report's `--no_of_trainable count`. The report's script counted on the network
 * before its classifier was replaced, so the original classifier's tensors were among the `count`, and the head that
 * came in its place always trained. More than there are means all, as it did there. Throws `RangeError` for an unknown
 * network or a count that is no whole number from 0.
 */
export function topTensorsOfReport(name: string, count: number, head: Pick<HeadOptions, 'hidden'>): number {
  if (!Number.isInteger(count) || count < 0) {
    throw new RangeError(`the number of trainable tensors must be a whole number from 0, not ${count}`);
  }
  const linearHead = { hidden: [], dropout: 0, classes: 1 };
  const backbone = networkGraph(name, linearHead).parameters.length - headTensorCount(linearHead);
  const originalClassifier = networkGraph(name, 'original').parameters.length - backbone;
  return headTensorCount(head) + Math.min(backbone, Math.max(0, count - originalClassifier));
}

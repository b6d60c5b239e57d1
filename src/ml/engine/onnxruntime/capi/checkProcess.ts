import { messageOf } from '../../../../protocol/errors.ts';
import { createGraphBuilder, finishGraph, input } from '../../../graph/builder.ts';
import { createRandom } from '../../../graph/random.ts';
import { elementCount, float32Tensor, type Tensor } from '../../../graph/tensor.ts';
import { linear } from '../../../operators/matmul/linear.ts';
import type { Engine } from '../../engine.ts';
import { selfCheck, tinySizes, trustedDifference } from '../../selfCheck.ts';
import { onnxEngine, onnxEngineAside, onnxEngineReplaying } from '../onnxEngine.ts';
import type { LibraryCheckMessage } from './checkLibrary.ts';

/* The entry of the process that checks ONNX Runtime's library for `checkLibrary`; the answer goes back as one message. */

/** Enough weights to be handed over beside the model. */
const width = 256;

/** What a layer of large weights makes of a row. */
async function layer(engine: Engine): Promise<Float32Array> {
  const random = createRandom('check of weights');
  const drawn = (shape: readonly number[]): Tensor =>
    float32Tensor(
      shape,
      Float32Array.from({ length: elementCount(shape) }, () => random.normal()),
    );
  const state = new Map([
    ['layer.weight', drawn([width, width])],
    ['layer.bias', drawn([width])],
  ]);
  const graphFor = (rows: number) => {
    const builder = createGraphBuilder('running');
    return finishGraph(builder, [linear(builder, 'layer', input(builder, 'row', [rows, width]), width)]);
  };
  const model = await engine.compileInference(graphFor, state, 'cpu');
  try {
    const [result] = (await model.run(new Map([['row', drawn([1, width])]]))).values();
    if (result?.dtype !== 'float32') throw new Error('a layer gave no numbers');
    return result.data;
  } finally {
    await model.dispose();
  }
}

/** What is wrong on the CPU. */
async function failureOnCpu(): Promise<string | undefined> {
  const library = onnxEngineAside();
  const { difference, lossDifference } = await selfCheck(library, 'cpu', tinySizes);
  if (difference !== 0 || lossDifference !== 0)
    return `its numbers differ from the binding's, gradients by ${difference}, losses by ${lossDifference}`;
  const [actual, expected] = [await layer(library), await layer(onnxEngine)];
  if (expected.some((value, at) => value !== actual[at]))
    return "with large weights its numbers differ from the binding's";
  return undefined;
}

/** What is wrong with steps that are recorded and replayed. */
async function failureOnWebgpu(): Promise<string | undefined> {
  const reasons: string[] = [];
  const engine = onnxEngineReplaying((reason) => void reasons.push(reason));
  const { difference, lossDifference } = await selfCheck(engine, 'webgpu', tinySizes);
  if (reasons.length > 0) return reasons[0];
  if (difference < trustedDifference && lossDifference < trustedDifference) return undefined;
  return `its numbers differ from the CPU's, gradients by ${difference}, losses by ${lossDifference}`;
}

async function answer(): Promise<LibraryCheckMessage> {
  try {
    const failure = await (process.argv[2] === 'webgpu' ? failureOnWebgpu() : failureOnCpu());
    return failure === undefined ? {} : { failure };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

const message = await answer();
process.send?.(message, () => process.exit(0));

import type * as tfjs from '@tensorflow/tfjs';
import type { TensorFlow } from '../../operators/tensorflow.ts';

/** A node as `model.json` has it: TensorFlow's NodeDef. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, object>>;
}

/** A constant, whose values lie in files beside `model.json`. */
export interface GraphWeight {
  readonly name: string;
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export type TensorInfo = tfjs.TensorInfo;
export type GraphValues = GraphWeight['data'];

/** What a kernel writes with. */
export interface Recorder {
  readonly tf: TensorFlow;
  /** Appends a node; `inputs` are names. */
  readonly node: (
    op: string,
    inputs: readonly string[],
    attr: GraphNode['attr'],
    output: { readonly shape: readonly number[]; readonly dtype: TensorInfo['dtype'] },
  ) => TensorInfo;
  /** A node's second output and the others: `name:1`. */
  readonly output: (of: TensorInfo, index: number, shape: readonly number[]) => TensorInfo;
  readonly nameOf: (value: TensorInfo) => string;
  /** Names of constants: whole numbers as a vector, or one number. */
  readonly integers: (values: readonly number[]) => string;
  readonly integer: (value: number) => string;
  readonly float: (value: number) => string;
  /** The values of a constant; undefined for what is computed. */
  readonly constantOf: (value: TensorInfo) => GraphValues | undefined;
  /** The same values in another shape. */
  readonly constant: (values: GraphValues, shape: readonly number[]) => TensorInfo;
  /** Name of the number of images, as a vector of one whole number. */
  readonly batch: () => string;
}

/**
 * The number of images of which a recorded graph is: a prime that is no size of a network. Whatever is a multiple of it is
 * a number of images, which stays open in what is written.
 */
export const recordedBatch = 1_000_003;

const types = { float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' } as const;

/** TensorFlow's name of a type of values. */
export function typeName(dtype: string): string {
  const name = Object.hasOwn(types, dtype) ? types[dtype as keyof typeof types] : undefined;
  if (name === undefined) throw new Error(`no graph model is written with values of the type ${dtype}`);
  return name;
}

/** A shape as TensorFlow writes it, open where it is a number of images. */
export function openShape(shape: readonly number[]): object {
  return { dim: shape.map((size) => ({ size: String(isBatch(size) ? -1 : size) })) };
}

/** Whether a size is a number of images, or so many of something for each. */
export function isBatch(size: number): boolean {
  return size > 0 && size % recordedBatch === 0;
}

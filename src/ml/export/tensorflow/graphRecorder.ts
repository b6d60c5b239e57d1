import type * as tfjs from '@tensorflow/tfjs';
import type { TensorFlow } from '../../operators/tensorflow.ts';
import { graphKernels } from './graphKernels.ts';
import {
  type GraphNode,
  type GraphValues,
  type GraphWeight,
  openShape,
  type Recorder,
  type TensorInfo,
  typeName,
} from './graphParts.ts';

/*
 * A backend of TensorFlow.js that computes nothing and writes down: what is called of the library becomes nodes of a graph
 * model, in the operators of TensorFlow (https://www.tensorflow.org/api_docs/python/tf/raw_ops). Shapes are followed, so
 * that a rule that reads one finds it.
 */

/** What was written down. */
export interface Recording {
  readonly nodes: readonly GraphNode[];
  /** Constants that nodes read. */
  readonly weights: readonly GraphWeight[];
}

const backendName = 'fivecrop-graph';

interface GraphInput {
  readonly name: string;
  /** Its first axis is `recordedBatch` times something. */
  readonly shape: readonly number[];
  readonly dtype: 'int32' | 'float32';
}

/**
 * Calls `compute` with the graph's input and a function that makes constants, and returns what it called of the library as
 * a graph, whose output is the node `output`. Nothing else may use the library meanwhile.
 */
export async function recordGraph(
  tf: TensorFlow,
  input: GraphInput,
  output: string,
  compute: (input: tfjs.Tensor, weight: (weight: GraphWeight) => tfjs.Tensor) => tfjs.Tensor,
): Promise<Recording> {
  const nodes: GraphNode[] = [];
  const weights = new Map<string, GraphWeight>();
  const names = new WeakMap<object, string>();
  const recorder = createRecorder(tf, input, { nodes, weights, names });
  const backend = Object.assign(new tf.KernelBackend(), {
    recorder,
    write: (values: GraphValues, shape: readonly number[]) => recorder.constant(values, shape).dataId,
    // Values are names, which several tensors may share.
    disposeData: () => false,
    incRef: () => undefined,
    refCount: () => 1,
    numDataIds: () => 0,
    memory: () => ({ unreliable: true }),
    dispose: () => undefined,
    floatPrecision: () => 32 as const,
    epsilon: () => 1e-7,
  });
  registerKernels(tf);
  const before = tf.getBackend();
  tf.registerBackend(backendName, () => backend);
  try {
    await tf.setBackend(backendName);
    tf.tidy(() => {
      const images = recorder.node('Placeholder', [], { dtype: { type: typeName(input.dtype) }, shape: { shape: openShape(input.shape) } }, input); // prettier-ignore
      const tensor = (info: TensorInfo) => tf.engine().makeTensorFromTensorInfo(info, backend);
      const result = compute(tensor(images), ({ name, data, shape }) => {
        weights.set(name, { name, dtype: 'float32', shape, data });
        return tensor({ dataId: named(names, name), shape: [...shape], dtype: 'float32' });
      });
      nodes.push({ name: output, op: 'Identity', input: [recorder.nameOf(result)], attr: { T: { type: typeName(result.dtype) } } }); // prettier-ignore
    });
  } finally {
    await tf.setBackend(before);
    tf.removeBackend(backendName);
  }
  const read = new Set(nodes.flatMap((node) => node.input));
  return { nodes, weights: [...weights.values()].filter(({ name }) => read.has(name)) };
}

function named(names: WeakMap<object, string>, name: string): object {
  const dataId = {};
  names.set(dataId, name);
  return dataId;
}

interface Written {
  readonly nodes: GraphNode[];
  readonly weights: Map<string, GraphWeight>;
  readonly names: WeakMap<object, string>;
}

function createRecorder(tf: TensorFlow, input: GraphInput, { nodes, weights, names }: Written): Recorder {
  const nameOf = ({ dataId }: TensorInfo) => {
    const name = names.get(dataId);
    if (name === undefined) throw new Error('a value of another backend came into a graph model');
    return name;
  };
  const constant = (data: GraphValues, shape: readonly number[]): TensorInfo => {
    const dtype = data instanceof Int32Array ? 'int32' : 'float32';
    const name = `constant_${weights.size}`;
    weights.set(name, { name, dtype, shape, data });
    return { dataId: named(names, name), shape: [...shape], dtype };
  };
  // Axes and sizes are the same again and again.
  const kept = new Map<string, string>();
  const once = (key: string, make: () => TensorInfo) => {
    const name = kept.get(key) ?? nameOf(make());
    kept.set(key, name);
    return name;
  };
  const recorder: Recorder = {
    tf,
    node(op, inputs, attr, { shape, dtype }) {
      const name = op === 'Placeholder' ? input.name : `${op}_${nodes.length}`;
      nodes.push({ name, op, input: [...inputs], attr });
      return { dataId: named(names, name), shape: [...shape], dtype };
    },
    output: (of, index, shape) => ({
      dataId: named(names, index === 0 ? nameOf(of) : `${nameOf(of)}:${index}`),
      shape: [...shape],
      dtype: of.dtype,
    }),
    nameOf,
    integers: (values) => once(`i[${values.join()}]`, () => constant(Int32Array.from(values), [values.length])),
    integer: (value) => once(`i${value}`, () => constant(Int32Array.of(value), [])),
    float: (value) => once(`f${value}`, () => constant(Float32Array.of(value), [])),
    constantOf: (value) => weights.get(nameOf(value))?.data,
    constant,
    batch: () =>
      once('batch', () => {
        const type = { T: { type: typeName('int32') } };
        const shape = recorder.node('Shape', [input.name], { T: { type: typeName(input.dtype) }, out_type: { type: typeName('int32') } }, { shape: [input.shape.length], dtype: 'int32' }); // prettier-ignore
        const [start, size] = [recorder.integers([0]), recorder.integers([1])];
        return recorder.node('Slice', [nameOf(shape), start, size], type, { shape: [1], dtype: 'int32' });
      }),
  };
  return recorder;
}

/** The library keeps kernels, and warns of any that is registered again. */
function registerKernels(tf: TensorFlow): void {
  const known = new Set(tf.getKernelsForBackend(backendName).map(({ kernelName }) => kernelName));
  for (const [kernelName, write] of Object.entries(graphKernels)) {
    if (known.has(kernelName)) continue;
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { recorder } = backend as { recorder: Recorder };
        return write(recorder, inputs, attrs ?? {});
      },
    });
  }
}

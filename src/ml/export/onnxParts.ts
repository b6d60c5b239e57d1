import {
  type OnnxAttribute,
  type OnnxGraph,
  onnxDataTypes,
  type OnnxNode,
  type OnnxTensor,
} from '../onnx/onnxModel.ts';

/** Attributes by name: whole numbers, lists of them, or a graph. */
type Attributes = Readonly<Record<string, number | readonly number[] | OnnxGraph>>;

/** Nodes and constants in the making, whose names begin alike. */
export interface OnnxParts {
  readonly nodes: OnnxNode[];
  readonly initializers: OnnxTensor[];
  /** A name that nothing else here has. */
  readonly name: (what: string) => string;
  /** Appends a node of one output and returns the name of that: `output` where given. */
  readonly emit: (opType: string, inputs: readonly string[], attributes?: Attributes, output?: string) => string;
  /** Constants; scalars where no shape is given. */
  readonly int64: (values: readonly number[], shape?: readonly number[]) => string;
  readonly int32: (value: number) => string;
  readonly float32: (values: readonly number[], shape?: readonly number[]) => string;
  readonly float64: (value: number) => string;
  /** The same names and constants with nodes of their own, for the graph inside a node. */
  readonly inside: () => OnnxParts;
}

/** ONNX operators that mean the same in every opset from this one on. */
export const leastOpset = 13;

/** Nothing yet. All names begin with `prefix`. */
export function createParts(prefix: string): OnnxParts {
  let serial = 0;
  const name = (what: string) => `${prefix}${what}_${String(serial++)}`;
  const initializers: OnnxTensor[] = [];
  const known = new Map<string, string>();
  const constant = (
    dataType: number,
    dims: readonly number[],
    data: BigInt64Array | Int32Array | Float32Array | Float64Array,
  ) => {
    const rawData = new Uint8Array(data.buffer);
    const key = `${dataType}:${dims.join()}:${Buffer.from(rawData).toString('base64')}`;
    const made = known.get(key) ?? name('constant');
    if (!known.has(key)) initializers.push({ name: made, dataType, dims: [...dims], rawData });
    known.set(key, made);
    return made;
  };
  const withNodes = (nodes: OnnxNode[]): OnnxParts => ({
    nodes,
    initializers,
    name,
    emit: (opType, inputs, attributes = {}, output = name(opType)) => {
      nodes.push({
        opType,
        name: output,
        input: [...inputs],
        output: [output],
        attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
      });
      return output;
    },
    int64: (values, shape = []) => constant(onnxDataTypes.int64, shape, BigInt64Array.from(values, BigInt)),
    int32: (value) => constant(onnxDataTypes.int32, [], Int32Array.of(value)),
    float32: (values, shape = []) => constant(onnxDataTypes.float32, shape, Float32Array.from(values)),
    float64: (value) => constant(onnxDataTypes.float64, [], Float64Array.of(value)),
    inside: () => withNodes([]),
  });
  return withNodes([]);
}

function attribute(name: string, value: Attributes[string]): OnnxAttribute {
  if (typeof value === 'number') return { name, type: 2, i: value };
  return 'node' in value ? { name, type: 5, g: value } : { name, type: 7, ints: [...value] };
}

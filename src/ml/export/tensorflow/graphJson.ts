import { type GraphWeight, openShape, typeName } from './graphParts.ts';
import type { Recording } from './graphRecorder.ts';

/** A recorded graph as `model.json` has it: TensorFlow's GraphDef in JSON, and what the files of weights hold, in their order. */
export function graphJson({ nodes, weights }: Recording) {
  return {
    modelTopology: { node: [...weights.map(constantNode), ...nodes], library: {}, versions: {} },
    weightSpecs: weights.map(({ name, dtype, shape }) => ({ name, dtype, shape: [...shape] })),
  };
}

/** A constant's node; its values are found by its name. */
function constantNode({ name, dtype, shape }: GraphWeight) {
  const type = typeName(dtype);
  const tensor = { dtype: type, tensorShape: openShape(shape) };
  return { name, op: 'Const', input: [], attr: { dtype: { type }, value: { tensor } } };
}

/** The values of all constants, one behind the other. */
export function weightBytes({ weights }: Pick<Recording, 'weights'>): Buffer<ArrayBuffer> {
  return Buffer.concat(weights.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
}

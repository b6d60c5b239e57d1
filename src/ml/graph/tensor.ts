/** A tensor in memory, row-major ("C order"). Weights use torch's layouts: OIHW for convolutions, [out, in] for Linear. */
export type Tensor =
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'uint8'; readonly shape: readonly number[]; readonly data: Uint8Array }
  | { readonly dtype: 'int64'; readonly shape: readonly number[]; readonly data: BigInt64Array };

export type DataType = Tensor['dtype'];

/** Tensors by name, in the order in which torch's `state_dict()` lists them. */
export type StateDict = ReadonlyMap<string, Tensor>;

/** A state's tensor by its name. Throws where there is none, which is a bug of the caller. */
export function tensorOf(state: StateDict, name: string): Tensor {
  const tensor = state.get(name);
  if (!tensor) throw new Error(`the state has no tensor named ${name}`);
  return tensor;
}

/** Number of elements of a shape; 1 for a scalar's empty shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A float32 tensor over `data`, or zeros where none is given. Throws `RangeError` where the length does not fit the shape. */
export function float32Tensor(shape: readonly number[], data?: Float32Array): Tensor & { dtype: 'float32' } {
  const size = elementCount(shape);
  if (data && data.length !== size) {
    throw new RangeError(`${String(data.length)} values do not fill the shape [${shape.join(', ')}]`);
  }
  return { dtype: 'float32', shape, data: data ?? new Float32Array(size) };
}

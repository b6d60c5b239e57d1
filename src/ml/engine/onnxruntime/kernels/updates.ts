/*
 * Optimizers' updates in AssemblyScript, compiled to WebAssembly with 128-bit vectors: what a step reads and writes of a
 * parameter in one pass, where a graph of operators makes a dozen. Pointers are byte offsets into a memory that the caller
 * lays out; rows of float32 begin at multiples of sixteen bytes, and what is left of their last vector is theirs too.
 * Each number is rounded as the operators of `operators/optimizer` round it.
 */

/** The average of the weights: d * average + (1 - d) * parameter. */
function moveAverage(average: usize, offset: usize, parameter: v128, kept: v128, added: v128): void {
  if (average === 0) return;
  const place = average + offset;
  v128.store(place, f32x4.add(f32x4.mul(v128.load(place), kept), f32x4.mul(parameter, added)));
}

/** A gradient to which the parameter's share is added. */
function decayed(gradient: v128, parameter: v128, decay: f32): v128 {
  return decay === 0 ? gradient : f32x4.add(gradient, f32x4.mul(parameter, f32x4.splat(decay)));
}

/**
 * Adam and AdamW on `count` numbers. `rate` is learning rate / (1 - beta1^t), `rootScale` 1 / sqrt(1 - beta2^t); `decay` is added
 * to the gradient by the parameter's size, and `shrink` taken off the parameter by its own. `average` is 0 where none is kept.
 */
export function adam(
  parameter: usize,
  gradient: usize,
  first: usize,
  second: usize,
  average: usize,
  count: i32,
  beta1: f32,
  other1: f32,
  beta2: f32,
  other2: f32,
  epsilon: f32,
  decay: f32,
  shrink: f32,
  rate: f32,
  rootScale: f32,
  kept: f32,
): void {
  const shrinks = shrink !== 0;
  const end = (<usize>count) << 2;
  for (let offset: usize = 0; offset < end; offset += 16) {
    let value = v128.load(parameter + offset);
    const slope = decayed(v128.load(gradient + offset), value, decay);
    const mean = f32x4.add(
      f32x4.mul(v128.load(first + offset), f32x4.splat(beta1)),
      f32x4.mul(slope, f32x4.splat(other1)),
    );
    const square = f32x4.add(
      f32x4.mul(v128.load(second + offset), f32x4.splat(beta2)),
      f32x4.mul(f32x4.mul(slope, slope), f32x4.splat(other2)),
    );
    v128.store(first + offset, mean);
    v128.store(second + offset, square);
    const root = f32x4.mul(f32x4.sqrt(square), f32x4.splat(rootScale));
    const move = f32x4.mul(f32x4.div(mean, f32x4.add(root, f32x4.splat(epsilon))), f32x4.splat(rate));
    if (shrinks) value = f32x4.sub(value, f32x4.mul(value, f32x4.splat(shrink)));
    value = f32x4.sub(value, move);
    v128.store(parameter + offset, value);
    moveAverage(average, offset, value, f32x4.splat(kept), f32x4.splat(1 - kept));
  }
}

/** SGD on `count` numbers; the buffer is `momentum` * buffer + gradient. `decay` and `average` are as for `adam`. */
export function sgd(
  parameter: usize,
  gradient: usize,
  buffer: usize,
  average: usize,
  count: i32,
  momentum: f32,
  decay: f32,
  rate: f32,
  kept: f32,
): void {
  const end = (<usize>count) << 2;
  for (let offset: usize = 0; offset < end; offset += 16) {
    let value = v128.load(parameter + offset);
    const slope = decayed(v128.load(gradient + offset), value, decay);
    const next = f32x4.add(f32x4.mul(v128.load(buffer + offset), f32x4.splat(momentum)), slope);
    v128.store(buffer + offset, next);
    value = f32x4.sub(value, f32x4.mul(next, f32x4.splat(rate)));
    v128.store(parameter + offset, value);
    moveAverage(average, offset, value, f32x4.splat(kept), f32x4.splat(1 - kept));
  }
}

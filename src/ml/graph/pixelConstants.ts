/** How decoded pixels become a network's input; `Preprocessing` of the protocol says what each field means. */
export interface PixelPreparation {
  readonly scale: number;
  /** In the order of `channels`, as `std` is. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly channels: 'rgb' | 'bgr';
}

/** The attributes of the operator `normalize` that compute `(pixel * scale - mean) / std` in that order of channels. */
export function pixelConstants({ scale, mean, std, channels }: PixelPreparation) {
  return {
    scale: std.map((deviation) => scale / deviation),
    shift: mean.map((value, index) => -value / (std[index] ?? 1)),
    order: channels === 'rgb' ? [0, 1, 2] : [2, 1, 0],
  };
}

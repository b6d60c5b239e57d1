/** A multiple of `divisor` near `channels`, and no less than nine tenths of it (Howard et al. 2017, https://arxiv.org/abs/1704.04861). */
export function nearMultiple(channels: number, divisor = 8): number {
  const near = Math.max(divisor, Math.floor((channels + divisor / 2) / divisor) * divisor);
  return near < 0.9 * channels ? near + divisor : near;
}

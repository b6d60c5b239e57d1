/** Changes 8-bit levels in place by a table of what becomes of each; what `to` gives is cut to a whole number. */
export function mapLevels(levels: Uint8Array, to: (level: number) => number): void {
  const table = Uint8Array.from({ length: 256 }, (_, level) => to(level));
  for (let at = 0; at < levels.length; at++) levels[at] = table[levels[at] ?? 0] ?? 0;
}

/** Pillow's blend of a level with another: `factor` 1 keeps it, 0 gives the other. Cut off at 0 and 255 and rounded down. */
export function blend(level: number, other: number, factor: number): number {
  const mixed = other + factor * (level - other);
  return mixed <= 0 ? 0 : mixed >= 255 ? 255 : Math.trunc(mixed);
}

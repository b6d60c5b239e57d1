/** Colours of a map from 0 to 1, between which it goes evenly: dark to light, readable without colour vision. */
const colours = [
  [0, 0, 4],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
] as const;

/** Levels of red, green and blue from 0 to 255, not rounded, for a value of a map of where a class was seen. */
export function heatColour(value: number): number[] {
  const place = Math.min(colours.length - 1.001, Math.max(0, value * (colours.length - 1)));
  const [from = colours[0], to = colours[0]] = [colours[Math.floor(place)], colours[Math.floor(place) + 1]];
  return from.map((level, plane) => level + ((to[plane] ?? 0) - level) * (place % 1));
}

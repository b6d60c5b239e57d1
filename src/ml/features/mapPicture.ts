/** An image's place in a map, and its class. */
export interface MappedImage {
  /** In the square from 0 to 1, y downwards. */
  readonly x: number;
  readonly y: number;
  readonly name: string;
  /** Number of the class, which chooses the colour. */
  readonly classIndex: number;
}

const [side, margin, dot] = [900, 20, 3.2];
const [line, legendWidth] = [18, 240];
/** Classes that a legend names; with more, colours are not told apart. */
const mostNamed = 40;
/** Turns of the circle of colours between two classes: the golden section keeps neighbours apart. */
const turn = 0.618_034;

/** A map as an SVG picture: a dot for each image in its class's colour, with its class as its title, and a legend. */
export function mapPicture(images: readonly MappedImage[], classes: readonly string[], title: string): string {
  const named = classes.length <= mostNamed ? classes : [];
  const width = side + 2 * margin + (named.length > 0 ? legendWidth : 0);
  const top = margin + 24;
  const height = Math.max(side, named.length * line) + top + margin;
  const dots = images.map(
    ({ x, y, name, classIndex }) =>
      `<circle cx="${(margin + x * side).toFixed(1)}" cy="${(top + y * side).toFixed(1)}" r="${dot}" fill="${colourOf(classIndex)}"><title>${escaped(name)}</title></circle>`,
  );
  const legend = named.map((name, index) => {
    const [left, y] = [side + 2 * margin, top + index * line + 6];
    return `<circle cx="${left}" cy="${y}" r="5" fill="${colourOf(index)}"/><text x="${left + 12}" y="${y + 4}">${escaped(name)}</text>`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222">` +
    `<rect width="100%" height="100%" fill="white"/><text x="${margin}" y="${margin + 8}" font-weight="bold">${escaped(title)}</text>` +
    `<g fill-opacity="0.75">${dots.join('')}</g>${legend.join('')}</svg>\n`
  );
}

function colourOf(index: number): string {
  const hue = Math.round(360 * ((index * turn) % 1));
  const lightness = [42, 56, 32][index % 3] ?? 42;
  return `hsl(${hue},70%,${lightness}%)`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replace(/[&<>"]/gu, (character) => entities[character] ?? character);
}

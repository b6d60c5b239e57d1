import { mostLooks, nthLook } from '../../charts/pointLook.ts';
import { markerCorners } from '../../charts/runStyle.ts';

/** An image's place in a map, and its class. */
export interface MappedImage {
  /** In the square from 0 to 1, y downwards. */
  readonly x: number;
  readonly y: number;
  readonly name: string;
  /** Number of the class, which chooses colour and shape. */
  readonly classIndex: number;
}

const [side, margin, dot] = [900, 20, 3.2];
const [line, legendWidth] = [18, 240];
/** Six that are seen on white. */
const colors = ['#0063d3', '#d2570a', '#2e7d32', '#7b3fa0', '#c2185b', '#8a6d00'];
/** Classes that a legend names: those after them look like earlier ones. */
const mostNamed = mostLooks(colors.length);

/** A map as an SVG picture: a point for each image in its class's colour and shape, with its class as its title, and a legend. */
export function mapPicture(images: readonly MappedImage[], classes: readonly string[], title: string): string {
  const named = classes.length <= mostNamed ? classes : [];
  const width = side + 2 * margin + (named.length > 0 ? legendWidth : 0);
  const top = margin + 24;
  const height = Math.max(side, named.length * line) + top + margin;
  const dots = images.map(({ x, y, name, classIndex }) =>
    mark(classIndex, [margin + x * side, top + y * side], dot, `<title>${escaped(name)}</title>`),
  );
  const legend = named.map((name, index) => {
    const [left, y] = [side + 2 * margin, top + index * line + 6];
    return `${mark(index, [left, y], 5)}<text x="${left + 12}" y="${y + 4}">${escaped(name)}</text>`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222">` +
    `<rect width="100%" height="100%" fill="white"/><text x="${margin}" y="${margin + 8}" font-weight="bold">${escaped(title)}</text>` +
    `<g fill-opacity="0.75">${dots.join('')}</g>${legend.join('')}</svg>\n`
  );
}

function mark(classIndex: number, [x, y]: readonly [number, number], radius: number, inside = ''): string {
  const { color, marker } = nthLook(classIndex, colors.length);
  const fill = colors[color] ?? '';
  const corners = markerCorners(marker, radius);
  if (corners.length === 0)
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius}" fill="${fill}">${inside}</circle>`;
  const points = corners.map(([dx, dy]) => `${(x + dx).toFixed(1)},${(y + dy).toFixed(1)}`).join(' ');
  return `<polygon points="${points}" fill="${fill}">${inside}</polygon>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replace(/[&<>"]/gu, (character) => entities[character] ?? character);
}

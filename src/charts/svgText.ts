import { visible } from '../protocol/visibleText.ts';

// The elements of an SVG picture as text.

type Point = readonly [x: number, y: number];
type LineLook = { color: string; width?: number; dash?: readonly number[] };
type TextLook = { anchor?: 'start' | 'middle' | 'end'; weight?: 'normal' | 'bold'; size?: number };

export function line([x1, y1]: Point, [x2, y2]: Point, { color, width = 1, dash = [] }: LineLook): string {
  const dashes = dash.length === 0 ? '' : ` stroke-dasharray="${dash.join(' ')}"`;
  return `<line x1="${number(x1)}" y1="${number(y1)}" x2="${number(x2)}" y2="${number(y2)}" stroke="${quoted(color)}" stroke-width="${width}"${dashes}/>`;
}

export function text(x: number, y: number, content: string, color: string, look: TextLook = {}): string {
  const { anchor = 'start', weight = 'normal', size } = look;
  const fontSize = size === undefined ? '' : ` font-size="${size}"`;
  return `<text x="${number(x)}" y="${number(y)}" fill="${quoted(color)}" text-anchor="${anchor}" font-weight="${weight}"${fontSize}>${quoted(content)}</text>`;
}

export function group(x: number, y: number, content: string): string {
  return `<g transform="translate(${x} ${y})">${content}</g>`;
}

/** A coordinate, to a hundredth of a pixel. */
export function number(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Text that is not taken for markup. */
export function quoted(content: string): string {
  return visible(content)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

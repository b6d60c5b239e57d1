/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** What text needs at least to be read (WCAG 2, level AA). */
const readable = 4.5;
const white: Rgb = [255, 255, 255];
const black: Rgb = [0, 0, 0];

/** A colour as the editor writes those of a theme, its transparency left out; undefined for any other text. */
export function parseColor(color: string): Rgb | undefined {
  const long = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})(?:[\da-f]{2})?$/i.exec(color)?.slice(1);
  const short = /^#([\da-f])([\da-f])([\da-f])[\da-f]?$/i.exec(color)?.slice(1);
  const hex = long ?? short?.map((digit) => digit + digit);
  if (hex !== undefined) return tuple(hex.map((part) => parseInt(part, 16)));
  const parts = /^rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)/i.exec(color)?.slice(1);
  return parts && tuple(parts.map(Number));
}

/** `share` of one colour over another. */
export function mixed(color: Rgb, under: Rgb, share: number): Rgb {
  return tuple(color.map((part, at) => Math.round(part * share + (under[at] ?? 0) * (1 - share))));
}

/** The colour of text on a background: the wanted one if that can be read there, else black or white, one of which can. */
export function textOn(background: Rgb, wanted: Rgb): Rgb {
  if (contrast(background, wanted) >= readable) return wanted;
  return contrast(background, white) > contrast(background, black) ? white : black;
}

/** Contrast of two colours, 1 to 21, as WCAG 2 defines it. */
export function contrast(a: Rgb, b: Rgb): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

export function cssColor(color: Rgb): string {
  return `rgb(${color.join(', ')})`;
}

function luminance(color: Rgb): number {
  const [red = 0, green = 0, blue = 0] = color.map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function tuple(parts: readonly number[]): Rgb {
  const [red = 0, green = 0, blue = 0] = parts;
  return [red, green, blue];
}

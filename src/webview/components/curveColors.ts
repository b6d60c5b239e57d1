import { contrast, cssColor, parseColor, textOn, type Rgb } from './contrast.ts';

/** What a line needs at least to be seen on its background (WCAG 2, graphical objects). */
const visibleContrast = 3;
/** Difference, see `colorDifference`, from which two curves are told apart at a glance. */
const tellable = 0.1;

/** Take the place of colours that a theme lacks or that look like another of its own: seen on light and on dark. */
const spares: readonly Rgb[] = [
  [216, 74, 155],
  [0, 140, 150],
  [128, 128, 128],
];

/**
 * Colours for curves: those of the theme that can be seen on the background and told from one another, and others in the
 * place of the rest. High contrast themes have no orange, and what older ones have is a second blue.
 */
export function curveColors(wanted: readonly string[], background: Rgb): string[] {
  const isVisible = (color: Rgb) => contrast(color, background) >= visibleContrast;
  const parsed = wanted.map(parseColor);
  const kept: Rgb[] = [];
  const slots = parsed.map((color) => {
    const isFine = color !== undefined && isVisible(color) && distance(color, kept) >= tellable;
    if (isFine) kept.push(color);
    return isFine ? color : undefined;
  });
  return slots.map((slot) => {
    if (slot !== undefined) return cssColor(slot);
    const spare = spares.find((color) => isVisible(color) && distance(color, kept) >= tellable) ?? contrary(background);
    kept.push(spare);
    return cssColor(spare);
  });
}

/** What is left where a theme is unlike all others. */
function contrary(background: Rgb): Rgb {
  return textOn(background, background);
}

function distance(color: Rgb, others: readonly Rgb[]): number {
  return Math.min(Infinity, ...others.map((other) => colorDifference(color, other)));
}

/**
 * How different two colours look as lines: their distance in OKLab (B. Ottosson, “A perceptual color space for image
 * processing”, 2020), in which lightness counts half, since a line's hue says more of which it is.
 */
export function colorDifference(a: Rgb, b: Rgb): number {
  const [light, green, blue] = oklab(a).map((part, at) => part - (oklab(b)[at] ?? 0));
  return Math.hypot((light ?? 0) / 2, green ?? 0, blue ?? 0);
}

function oklab(color: Rgb): [number, number, number] {
  const [red = 0, green = 0, blue = 0] = color.map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const medium = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

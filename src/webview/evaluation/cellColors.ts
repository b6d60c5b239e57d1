import { mixed, parseColor, textOn, type Rgb } from '../components/contrast.ts';

/** What the cells of a confusion matrix are coloured with. */
export type MatrixColors = { right: Rgb; wrong: Rgb; background: Rgb; foreground: Rgb };

/** Shades begin here, so that a single image among many is seen, and end before the colour is all there is. */
const faintest = 0.12;
const strongest = 0.8;

/** Colours of the theme, or such as can be seen for what cannot be read of it. */
export function matrixColors(right: string, wrong: string, background: string, foreground: string): MatrixColors {
  return {
    right: parseColor(right) ?? [56, 138, 52],
    wrong: parseColor(wrong) ?? [248, 81, 73],
    background: parseColor(background) ?? [255, 255, 255],
    foreground: parseColor(foreground) ?? [0, 0, 0],
  };
}

/** Background of a cell by its share of the row's images, and the colour of a text that can be read on it. */
export function cellColors(share: number, right: boolean, colors: MatrixColors): { background: Rgb; text: Rgb } {
  const strength = share === 0 ? 0 : faintest + (strongest - faintest) * share;
  const background = mixed(right ? colors.right : colors.wrong, colors.background, strength);
  return { background, text: textOn(background, colors.foreground) };
}

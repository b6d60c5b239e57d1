import { matrixColors, type MatrixColors } from './cellColors.ts';

/** What the cells of a confusion matrix are coloured with in the editor's present theme. */
export function themeMatrixColors(): MatrixColors {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const [right, wrong] = [read('--vscode-charts-green'), read('--vscode-charts-red')];
  return matrixColors(right, wrong, read('--vscode-editor-background'), read('--vscode-foreground'));
}

import type { ChartColors } from '../../charts/chartColors.ts';
import { parseColor } from './contrast.ts';
import { curveColors } from './curveColors.ts';

const chartColors = [
  '--vscode-charts-blue',
  '--vscode-charts-orange',
  '--vscode-charts-green',
  '--vscode-charts-purple',
  '--vscode-charts-red',
  '--vscode-charts-yellow',
] as const;

export type ThemeColors = ChartColors & { font: string };

/** The editor's present colours, for what is drawn on a canvas and cannot name variables. */
export function themeColors(): ThemeColors {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string, otherwise: string) => style.getPropertyValue(name).trim() || otherwise;
  const background = read('--vscode-editor-background', 'Canvas');
  const foreground = read('--vscode-foreground', 'CanvasText');
  return {
    foreground,
    muted: read('--vscode-descriptionForeground', foreground),
    background,
    grid: read('--vscode-charts-lines', read('--vscode-contrastBorder', foreground)),
    font: read('--vscode-font-family', 'sans-serif'),
    curves: curveColors(
      chartColors.map((name) => read(name, '')),
      parseColor(background) ?? [255, 255, 255],
    ),
  };
}

/** Calls back after the editor's theme has changed, which shows in the attributes of the page. */
export function onThemeChange(react: () => void): void {
  const observer = new MutationObserver(react);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
}

import { pngPicture } from '../components/pngPicture.ts';
import { curvesCsv } from './curvesCsv.ts';
import { hasTopFive } from './runCharts.ts';
import type { PageRun } from './shownRun.ts';
import { svgCharts, type SvgOptions } from './svgCharts.ts';

export type ExportFormat = 'png' | 'svg' | 'csv';
export type ExportedCharts = Omit<SvgOptions, 'width' | 'chartHeight' | 'heading'>;

const pictureWidth = 1200;
const chartHeight = 440;
const pngScale = 2;

/** The charts as a file's content: text, or base64 for PNG. */
export async function exportCharts(
  format: ExportFormat,
  runs: readonly PageRun[],
  charts: ExportedCharts,
): Promise<string> {
  if (format === 'csv') {
    const named = runs.map(({ title, curves }) => ({ name: title, curves }));
    return curvesCsv(named, runs.some(hasTopFive));
  }
  const heading = runs.map(({ title }) => title).join(', ');
  const { svg, width, height } = svgCharts({ ...charts, heading, width: pictureWidth, chartHeight });
  return format === 'svg' ? svg : pngPicture(svg, width, height, pngScale);
}

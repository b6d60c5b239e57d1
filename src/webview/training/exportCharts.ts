import { curvesCsv } from './curvesCsv.ts';
import { pngPicture } from '../components/pngPicture.ts';
import type { PageRun } from './shownRun.ts';
import { svgCharts, svgHeight, type SvgOptions } from './svgCharts.ts';

export type ExportFormat = 'png' | 'svg' | 'csv';
export type Picture = Omit<SvgOptions, 'width' | 'chartHeight'>;

const pictureWidth = 1200;
const chartHeight = 420;
const pngScale = 2;

/** The charts as a file's content: text, or base64 for PNG. */
export async function exportCharts(format: ExportFormat, runs: readonly PageRun[], picture: Picture): Promise<string> {
  if (format === 'csv') return curvesCsv(runs.map(({ record, curves }) => ({ name: record.name, curves })));
  const options = { ...picture, width: pictureWidth, chartHeight };
  const drawn = svgCharts(options);
  return format === 'svg' ? drawn : pngPicture(drawn, pictureWidth, svgHeight(options), pngScale);
}

import * as l10n from '@vscode/l10n';
import { visible } from '../../protocol/visibleText.ts';
import { count, fileName, images } from '../../charts/format.ts';
import { pngPicture } from '../components/pngPicture.ts';
import { curvesCsv } from '../../charts/curvesCsv.ts';
import { hasTopFive } from '../../charts/runCharts.ts';
import type { PageRun } from './shownRun.ts';
import { svgCharts, type SvgOptions } from '../../charts/svgCharts.ts';

export type ExportFormat = 'png' | 'svg' | 'csv';
export type ExportedCharts = Omit<SvgOptions, 'width' | 'chartHeight' | 'heading' | 'data'>;

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
    const named = runs.map(({ title, record, curves }) => ({
      name: title,
      data: fileName(record.config.data),
      curves,
    }));
    return curvesCsv(named, runs.some(hasTopFive));
  }
  const heading = runs.map(({ title }) => title).join(', ');
  const data = [...new Set(runs.map(dataText))].join('; ');
  const { svg, width, height } = svgCharts({ ...charts, heading, data, width: pictureWidth, chartHeight });
  return format === 'svg' ? svg : pngPicture(svg, width, height, pngScale);
}

/** What a run was trained on, for whoever has only the picture. */
function dataText({ record: { config, data } }: PageRun): string {
  const folder = visible(fileName(config.data));
  if (data === undefined) return folder;
  const classes = count(data.classCount ?? data.classes.length);
  const { train, valid } = data.images;
  return l10n.t('{0}: {1} classes, {2} to train on, {3} for validation', folder, classes, images(train), images(valid));
}

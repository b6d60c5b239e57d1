import { basename } from 'node:path';
import type { ClassLabel } from '../../../protocol/checkpointMetadata.ts';
import type { ExportForm } from '../../../protocol/exportFormat.ts';
import { besideOnnx } from '../../../protocol/exportWishes.ts';
import { browserPage } from './browserPage.ts';
import type { ExportDescription } from './description.ts';
import { nodeScript } from './nodeScript.ts';
import { pythonScript } from './pythonScript.ts';

/**
 * The files that lie ready beside an exported file of pixels, by their paths: its labels as JSON, and programs that
 * classify images with it, for Python, Node and a browser. `out` is the exported file's path.
 */
export function readyScripts(
  out: string,
  labels: readonly ClassLabel[],
  { input }: Pick<ExportForm, 'input'>,
): ReadonlyMap<string, string> {
  const beside = besideOnnx(out);
  const description: ExportDescription = { model: basename(out), labels: basename(beside.labels), input };
  return new Map([
    [beside.labels, `${JSON.stringify(labels, undefined, 2)}\n`],
    [beside.python, pythonScript(description)],
    [beside.node, nodeScript(description)],
    [beside.page, browserPage(description)],
  ]);
}

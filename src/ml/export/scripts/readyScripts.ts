import { basename } from 'node:path';
import type { ClassLabel } from '../../../protocol/checkpointMetadata.ts';
import type { ExportForm } from '../../../protocol/exportFormat.ts';
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
  const stem = out.replace(/\.onnx$/iu, '');
  const description: ExportDescription = { model: basename(out), labels: `${basename(stem)}.labels.json`, input };
  return new Map([
    [`${stem}.labels.json`, `${JSON.stringify(labels, undefined, 2)}\n`],
    [`${stem}.classify.py`, pythonScript(description)],
    [`${stem}.classify.mjs`, nodeScript(description)],
    [`${stem}.classify.html`, browserPage(description)],
  ]);
}

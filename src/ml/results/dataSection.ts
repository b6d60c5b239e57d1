import { count, fileName } from '../../charts/format.ts';
import { findingText } from '../../protocol/dataReport.ts';
import type { RunRecord } from '../../protocol/runRecord.ts';
import { html, type Markup } from './markup.ts';
import { section } from './pageDocument.ts';
import { facts, firstOf, table } from './tables.ts';

const mostClasses = 400;
const mostFindings = 50;

/** What a run was trained on, and what was found of it. */
export function dataSection({ config, data }: RunRecord): Markup {
  const name = fileName(config.data);
  if (data === undefined) return section('Data', facts([['Folder', name]]));
  const { images, classes, classCount = classes.length, splitBy, undecodable, findings } = data;
  const { shown, more } = firstOf(classes, mostClasses, 'classes');
  const left = classCount - Math.max(classes.length, shown.length);
  const numbers = ['Training', 'Validation', 'Test'].map((title) => ({ title, numbers: true }));
  const rows = shown.map(({ folder, name: title, train, valid, test }) => [
    title === folder ? title : `${title} (${folder})`,
    ...[train, valid, test].map(count),
  ]);
  return section(
    'Data',
    facts([
      ['Folder', name],
      ['Classes', count(classCount)],
      ['Images to train on', count(images.train)],
      ['Images for validation', count(images.valid)],
      ['Images for testing', count(images.test)],
      ['Split', splitBy === 'folders' ? 'by the folders of the data' : `drawn with the seed ${config.seed}`],
      ['Images left out', undecodable.length > 0 ? count(undecodable.length) : undefined],
    ]),
    html`${findings.slice(0, mostFindings).map((finding) => html`<p class="hint">${findingText(finding)}</p>`)}`,
    html`<details ${shown.length <= 30 ? html`open` : undefined}>
      <summary>Images of each class</summary>
      ${table('Images of each class', [{ title: 'Class' }, ...numbers], rows)}${more}
      ${left > 0 ? html`<p class="hint">The run kept the first ${classes.length} classes of ${classCount}.</p>` : undefined}
    </details>`,
  );
}

import { bytes, count, duration, fileName, images, percent } from '../../charts/format.ts';
import { bestValidation, trainedSeconds } from '../../charts/runCurves.ts';
import { evaluationMetrics } from '../../protocol/evaluationMetrics.ts';
import { networkName } from '../../protocol/networkName.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { stateName } from '../../runs/state.ts';
import { curvesSection } from './curvesSection.ts';
import { dataSection } from './dataSection.ts';
import { environmentSection } from './environmentSection.ts';
import { cropsText, evaluationSection, otherData, shownEvaluation } from './evaluationSection.ts';
import { html, type Markup } from './markup.ts';
import { methodWords } from './methodWords.ts';
import { pageDocument, section } from './pageDocument.ts';
import type { RunResults } from './readResults.ts';
import { samplesSection } from './samplesSection.ts';
import { settingsSection } from './settingsSection.ts';
import { withoutFolders } from './withoutFolders.ts';

/**
 * A run as one HTML file that needs no script, no network and none of the run’s files: settings, data, curves, evaluation,
 * samples and environment. Reads the pictures of the samples.
 */
export async function runPage(results: RunResults): Promise<string> {
  const run = withoutFolders(results);
  const { record, warnings } = run;
  const title = runTitle(record.name);
  const evaluation = shownEvaluation(run);
  const samples = evaluation && (await samplesSection(evaluation));
  return pageDocument(title, [
    header(run, title),
    curvesSection(run, { title, data: dataText(run) }),
    evaluationSection(run),
    ...(samples ? [samples] : []),
    dataSection(record),
    settingsSection(record.config),
    environmentSection(record),
    ...(warnings.length > 0
      ? [
          section(
            'Warnings',
            html`<ul>
              ${warnings.map((warning) => html`<li>${warning}</li>`)}
            </ul>`,
          ),
        ]
      : []),
  ]);
}

function dataText({ record: { config, data } }: RunResults): string {
  const name = fileName(config.data);
  if (data === undefined) return name;
  const classes = data.classCount ?? data.classes.length;
  return `${name}: ${count(classes)} classes, ${images(data.images.train)} to train on`;
}

function header(run: RunResults, title: string): Markup {
  const { record, state } = run;
  const { config, created, reason } = record;
  // ISO 8601, in UTC.
  const began = created.slice(0, 16).replace('T', ' ');
  return html`<header>
    <h1>${title}</h1>
    <p class="hint">
      ${networkName(config.network)}, ${methodWords[config.method]}, on ${dataText(run)}. Started ${began} UTC,
      ${stateName(state)}${reason === undefined ? '' : `: ${reason}`}
    </p>
    <ul class="headline">
      ${headline(run).map(([name, value, more]) => html`<li>${name}<strong>${value}</strong><span class="hint">${more}</span></li>`)}
    </ul>
  </header>`;
}

/** The numbers that one looks for first. */
function headline(run: RunResults): [string, string, string][] {
  const { curves, memoryBytes, record } = run;
  const evaluation = shownEvaluation(run);
  const other = evaluation && otherData(evaluation, record);
  const best = bestValidation(curves);
  const at = (name: 'validAccuracy' | 'step' | 'epoch') => curves.validations.values(name)[best ?? -1] ?? NaN;
  const interval = evaluation && evaluationMetrics(evaluation).accuracyInterval;
  const lines: ([string, string, string] | undefined)[] = [
    evaluation &&
      interval && [
        (evaluation.split === 'test' ? 'Test accuracy' : `Accuracy of ${evaluation.split} images`) +
          (other === undefined ? '' : ` on ${other}`),
        percent(evaluation.accuracy),
        `${percent(interval.low)} to ${percent(interval.high)}, ${cropsText(evaluation)}`,
      ],
    best === undefined
      ? undefined
      : [
          'Best validation accuracy',
          percent(at('validAccuracy')),
          `at step ${count(at('step'))}, epoch ${at('epoch').toFixed(2)}`,
        ],
    ['Time trained', duration(trainedSeconds(curves)), `${count(curves.lastStep?.step ?? 0)} steps`],
    memoryBytes === 0 ? undefined : ['Memory', bytes(memoryBytes), 'at most, of the process that trained'],
  ];
  return lines.filter((line) => line !== undefined);
}

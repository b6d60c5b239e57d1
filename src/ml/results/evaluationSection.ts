import { count, fileName, percent } from '../../charts/format.ts';
import { line, number } from '../../charts/svgText.ts';
import { calibration, type CalibrationBin } from '../../protocol/calibration.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { type ClassMetrics, evaluationMetrics } from '../../protocol/evaluationMetrics.ts';
import { plural } from '../../protocol/plural.ts';
import { seesWholeImage } from '../../protocol/preprocessing.ts';
import type { RunRecord } from '../../protocol/runRecord.ts';
import { sameFolder } from '../../runs/sameFolder.ts';
import { html, type Markup, safe } from './markup.ts';
import { section } from './pageDocument.ts';
import { type Ranking, rankingOf, rankingSection } from './rankingSection.ts';
import type { RunResults } from './readResults.ts';
import { shareDiagram } from './shareDiagram.ts';
import { facts, firstOf, table } from './tables.ts';

type Tested = Pick<RunResults, 'evaluations' | 'record'>;

const mostClasses = 400;
/** Up to so many classes a matrix shows all; of more, those that are confused most. */
const wholeMatrix = 25;
const partOfMatrix = 20;
const mostConfusions = 20;

/** The test that a page shows: of the run's own data if there is one, of test images if there is one, the newest of these. */
export function shownEvaluation({ evaluations, record }: Tested): Evaluation | undefined {
  const own = evaluations.filter((evaluation) => otherData(evaluation, record) === undefined);
  const among = own.length > 0 ? own : evaluations;
  return among.find(({ split }) => split === 'test') ?? among[0];
}

/** The name of the folder that was tested on, if it is not the one that the run was trained on. */
export function otherData(evaluation: Evaluation, { config, data }: RunRecord): string | undefined {
  return sameFolder(evaluation.data, data?.data ?? config.data) ? undefined : fileName(evaluation.data);
}

/** What the network saw of each image. */
export function cropsText({ cropCount, fit }: Pick<Evaluation, 'cropCount' | 'fit'>): string {
  if (seesWholeImage(fit)) return 'whole images';
  return cropCount === 1 ? 'center crop' : 'five crops';
}

/** How good a checkpoint is on images that it was not trained on. */
export function evaluationSection(run: Tested): Markup {
  const evaluation = shownEvaluation(run);
  if (evaluation === undefined) {
    // A test of an earlier checkpoint is none of this one's.
    const untested = 'The checkpoint has not been tested as it is now: fivecrop test does that.';
    return section('Evaluation', html`<p class="hint">${untested}</p>`);
  }
  const metrics = evaluationMetrics(evaluation);
  const { low, high } = metrics.accuracyInterval;
  const { images, leftOut, split, accuracy, top5, loss, brier, temperature, selection } = evaluation;
  const { expectedError, bins } = calibration(evaluation.results);
  const without = leftOut > 0 ? `, ${leftOut} left out` : '';
  const other = otherData(evaluation, run.record);
  const ranking = rankingOf(evaluation);
  return section(
    'Evaluation',
    facts([
      ['Images', `${count(images)} ${split} images, ${cropsText(evaluation)}${without}`],
      ['Folder', other],
      ['Checkpoint', fileName(evaluation.checkpoint)],
      ['Accuracy', `${percent(accuracy)}, 95 % interval ${percent(low)} to ${percent(high)}`],
      ['Top-5 accuracy', evaluation.perClass.length > 5 ? percent(top5) : undefined],
      ['Loss', loss.toFixed(4)],
      ['Mean precision over classes', percent(metrics.macro.precision)],
      ['Mean recall over classes', percent(metrics.macro.recall)],
      ['Mean F1 over classes', percent(metrics.macro.f1)],
      ['Mean average precision over classes', ranking?.means.averagePrecision?.toFixed(4)],
      ['Mean area under the ROC curve over classes', ranking?.means.areaUnderRoc?.toFixed(4)],
      ['Brier score', brier?.toFixed(4)],
      [
        'Temperature',
        temperature && `${temperature.value.toFixed(3)}, fitted on ${plural(temperature.images, 'image')}`,
      ],
    ]),
    html`${(selection?.notes ?? []).map((note) => html`<p class="hint">${note}</p>`)}`,
    otherTests(run),
    html`<h3>Classes</h3>`,
    classTable(metrics.perClass, ranking),
    ranking && rankingSection(ranking),
    html`<h3>Confusion matrix</h3>`,
    confusionMatrix(evaluation, metrics.perClass),
    confusionList(evaluation, metrics.perClass),
    html`<h3>Calibration</h3>
      <p>
        Expected calibration error ${percent(expectedError)}. Each bar is of the images whose confidence lies in its
        range, of ${plural(evaluation.results.length, 'image')} in all. Its height is the share of them that is
        predicted right (accuracy), the line across it their mean confidence: where the bar should end.
      </p>`,
    html`<div class="chart">${safe(reliabilityDiagram(bins))}</div>`,
    binTable(bins),
  );
}

function otherTests({ evaluations, record }: Tested): Markup | undefined {
  if (evaluations.length < 2) return undefined;
  const columns = [
    { title: 'Test' },
    ...['Images', 'Accuracy', '95 % interval'].map((title) => ({ title, numbers: true })),
  ];
  const rows = evaluations.map((evaluation) => {
    const { low, high } = evaluationMetrics(evaluation).accuracyInterval;
    const { split, images, accuracy } = evaluation;
    const other = otherData(evaluation, record);
    return [
      `${split}${other === undefined ? '' : ` of ${other}`}, ${cropsText(evaluation)}`,
      count(images),
      percent(accuracy),
      `${percent(low)} to ${percent(high)}`,
    ];
  });
  return html`<h3>All tests of this checkpoint</h3>
    ${table('All tests of this checkpoint', columns, rows)}`;
}

function classTable(perClass: readonly ClassMetrics[], ranking: Ranking | undefined): Markup {
  const worstFirst = [...perClass].sort((a, b) => a.accuracy - b.accuracy || a.index - b.index);
  const { shown, more } = firstOf(worstFirst, mostClasses, 'classes, all of which are recognized at least as well');
  const ranked = ranking === undefined ? [] : ['Average precision', 'Area under ROC'];
  const numbers = ['Images', 'Recall', 'Precision', 'F1', ...ranked].map((title) => ({ title, numbers: true }));
  const figures = (index: number): string[] => {
    if (ranking === undefined) return [];
    const { averagePrecision = NaN, areaUnderRoc = NaN } = ranking.ofClass.get(index) ?? {};
    return [averagePrecision, areaUnderRoc].map((figure) => (Number.isNaN(figure) ? '–' : figure.toFixed(3)));
  };
  const rows = shown.map(({ index, folder, name, images, recall, precision, predicted, f1 }) => [
    name === folder || folder === '' ? name : `${name} (${folder})`,
    count(images),
    images === 0 ? '–' : percent(recall),
    predicted === 0 ? '–' : percent(precision),
    percent(f1),
    ...figures(index),
  ]);
  return html`${table('Classes', [{ title: 'Class' }, ...numbers], rows)}${more}`;
}

function confusionMatrix({ confusion }: Evaluation, perClass: readonly ClassMetrics[]): Markup {
  const all = perClass.length <= wholeMatrix;
  const chosen = all ? perClass : mostConfused(confusion, perClass);
  const counts = new Map(confusion.map(([actual, as, cases]) => [`${actual} ${as}`, cases]));
  const cell = (actual: ClassMetrics, as: ClassMetrics) => {
    const cases = counts.get(`${actual.index} ${as.index}`) ?? 0;
    if (cases === 0) return html`<td></td>`;
    const share = Math.min(1, cases / Math.max(1, actual.images));
    const hue = actual.index === as.index ? '--right' : '--wrong';
    return html`<td style="background: rgb(var(${safe(hue)}) / ${(0.08 + 0.37 * share).toFixed(2)})">
      ${count(cases)}
    </td>`;
  };
  const note = all ? '' : ` Of ${perClass.length} classes, the ${partOfMatrix} that are confused most.`;
  return html`<p class="hint">Each row is an actual class, each column what it was predicted as.${note}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">
      <table class="matrix">
        <thead>
          <tr>
            <th></th>
            ${chosen.map(({ name }) => html`<th scope="col"><span>${name}</span></th>`)}
          </tr>
        </thead>
        <tbody>
          ${chosen.map(
            (actual) =>
              html`<tr>
                <th scope="row">${actual.name}</th>
                ${chosen.map((as) => cell(actual, as))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

/** The classes with most errors, their own images and those that were taken for them, in the order of their index. */
function mostConfused(confusion: Evaluation['confusion'], perClass: readonly ClassMetrics[]): ClassMetrics[] {
  const errors = new Map<number, number>();
  for (const [actual, as, cases] of confusion) {
    if (actual === as) continue;
    for (const index of [actual, as]) errors.set(index, (errors.get(index) ?? 0) + cases);
  }
  return [...perClass]
    .sort((a, b) => (errors.get(b.index) ?? 0) - (errors.get(a.index) ?? 0) || a.index - b.index)
    .slice(0, partOfMatrix)
    .sort((a, b) => a.index - b.index);
}

function confusionList({ confusion }: Evaluation, perClass: readonly ClassMetrics[]): Markup | undefined {
  const names = new Map(perClass.map(({ index, name }) => [index, name]));
  const wrong = confusion.filter(([actual, as]) => actual !== as).sort((a, b) => b[2] - a[2]);
  if (wrong.length === 0) return html`<p>Every image is predicted right.</p>`;
  const { shown, more } = firstOf(wrong, mostConfusions, 'confusions, none of which is more frequent');
  const name = (index: number) => names.get(index) ?? `class ${index}`;
  const rows = shown.map(([actual, as, cases]) => [name(actual), name(as), count(cases)]);
  const columns = [{ title: 'Actual' }, { title: 'Taken for' }, { title: 'Images', numbers: true }];
  return html`${table('Confusions', columns, rows)}${more}`;
}

/** How often predictions of each confidence are right: a bar a bin, and a line where it should end. */
function reliabilityDiagram(bins: readonly CalibrationBin[]): string {
  return shareDiagram({ name: 'Reliability diagram', x: 'Confidence', y: 'Accuracy' }, (x, y) =>
    bins
      .filter(({ images }) => images > 0)
      .flatMap(({ from, to, accuracy, confidence }) => [
        `<rect x="${number(x(from) + 1)}" y="${number(y(accuracy))}" width="${number(x(to) - x(from) - 2)}" height="${number(y(0) - y(accuracy))}" fill="var(--training)" opacity="0.6"/>`,
        line([x(from), y(confidence)], [x(to), y(confidence)], { color: 'var(--validation)', width: 2 }),
      ]),
  );
}

function binTable(bins: readonly CalibrationBin[]): Markup {
  const numbers = ['Images', 'Mean confidence', 'Accuracy'].map((title) => ({ title, numbers: true }));
  const rows = bins
    .filter(({ images }) => images > 0)
    .map(({ from, to, images, confidence, accuracy }) => [
      `${percent(from, 0)} to ${percent(to, 0)}`,
      count(images),
      percent(confidence),
      percent(accuracy),
    ]);
  return html`<details>
    <summary>Numbers of the diagram</summary>
    ${table('Numbers of the diagram', [{ title: 'Confidence' }, ...numbers], rows)}
  </details>`;
}

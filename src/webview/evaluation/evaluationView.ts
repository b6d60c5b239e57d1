import type { Evaluation } from '../../protocol/evaluation.ts';
import type { EvaluationPanelToHost, EvaluationPanelToPage } from '../../protocol/evaluationPanel.ts';
import { announcer } from '../components/announcer.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import { fileName, images, percent } from '../components/format.ts';
import type { KeptState } from '../components/host.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { pictureStore } from '../components/pictures.ts';
import { button, dropdown, labelled, progressRing, setDisabled } from '../components/toolkit.ts';
import { byCrops, testedData, testedKey } from './chooseEvaluation.ts';
import { classTable } from './classTable.ts';
import { confusionGrid, type Cell } from './confusionGrid.ts';
import { confusionList } from './confusionList.ts';
import { classNames, confusionMatrix, imagesBehind, suspectedMislabels, topConfusions } from './confusions.ts';
import { evaluationCsv } from './evaluationCsv.ts';
import { evaluationFigures } from './evaluationFigures.ts';
import { imageResults, type ImageResultsOptions } from './imageResults.ts';
import type { EvaluationPageState } from './pageState.ts';

/** With more classes the matrix is too large to read, and the list of confusions stands alone. */
const largestMatrix = 30;
const shownConfusions = 20;
const shownImages = 24;
const thumbnailPixels = 160;
const suspicions = [50, 80, 90, 95, 99] as const;

type Of<Type extends EvaluationPanelToPage['type']> = Extract<EvaluationPanelToPage, { type: Type }>;

export type EvaluationViewOptions = {
  root: HTMLElement;
  state: KeptState<EvaluationPageState>;
  send: (message: EvaluationPanelToHost) => void;
};

/** The page: built once; returns what takes the host's messages. */
export function evaluationView({ root, state, send }: EvaluationViewOptions): (message: EvaluationPanelToPage) => void {
  let known: Of<'evaluations'> | undefined;
  let progress: Of<'progress'> | undefined;
  let problem: string | undefined;

  const pictures = pictureStore((image) => send({ type: 'picture', image, size: thumbnailPixels }));
  const spoken = announcer();
  const title = element('h1');
  const on = element('p', { class: 'hint' });
  /** How the images were chosen, where that is not plain. */
  const selection = element('p', { class: 'hint' });
  const refusal = element('p', { class: 'notice' });
  const tested = dropdown('Tested on', (value) => change({ tested: value, cell: undefined }));
  const exporting = button({
    label: 'CSV',
    title: 'Export a row an image',
    onClick: () => {
      const evaluation = shown();
      if (evaluation !== undefined) send({ type: 'exportCsv', content: evaluationCsv(evaluation) });
    },
  });
  const progressLine = element('span');
  const busy = element('div', { class: 'busy' }, [
    progressRing(),
    progressLine,
    button({ label: 'Cancel', onClick: () => send({ type: 'cancel' }) }),
  ]);
  const error = element('p', { class: 'notice error', role: 'alert' });
  const figures = element('section', { 'aria-label': 'Results' });
  const matrix = element('section', { 'aria-label': 'Confusions' });
  const behind = element('section', { class: 'behind', 'aria-label': 'Images behind the chosen cell', tabindex: -1 });
  const classes = element('section', { 'aria-label': 'Classes' });
  const suspects = element('div');
  const suspicion = dropdown('Least probability', (value) => change({ suspicion: Number(value) }));
  const mislabels = element('section', { 'aria-label': 'Suspected mislabels' }, [
    element('h2', {}, ['Suspected mislabels']),
    labelled('Sure of another class by at least', suspicion.element),
    suspects,
  ]);
  const details = element('div', { class: 'details' }, [matrix, behind, classes, mislabels]);
  root.append(
    spoken.element,
    element('main', {}, [
      element('header', { class: 'toolbar' }, [title, tested.element, exporting, busy]),
      on,
      selection,
      refusal,
      error,
      figures,
      details,
    ]),
  );

  const change = (part: Partial<EvaluationPageState>): void => {
    state.change(part);
    refresh();
  };
  const chosenData = () => {
    const all = testedData(known?.evaluations ?? []);
    return all.find((each) => testedKey(each) === state.value.tested) ?? all[0];
  };
  const pair = () => {
    const data = chosenData();
    return data === undefined ? {} : byCrops(known?.evaluations ?? [], data);
  };
  const shown = (): Evaluation | undefined => {
    const evaluations = pair();
    return evaluations[state.value.crops] ?? evaluations[5] ?? evaluations[1];
  };
  const openCell = (cell: Cell): void => {
    change({ cell: { actual: cell.actual, predicted: cell.predicted } });
    requestAnimationFrame(() => behind.focus());
  };
  const gallery = (results: ImageResultsOptions['results'], evaluation: Evaluation): HTMLElement =>
    imageResults({
      results,
      name: classNames(evaluation),
      pictures,
      limit: shownImages,
      onOpen: (image) => send({ type: 'open', image }),
      onReveal: (image) => send({ type: 'reveal', image }),
    });

  const drawHeader = (): void => {
    title.textContent = known?.label ?? 'Test';
    const all = testedData(known?.evaluations ?? []);
    const data = chosenData();
    tested.element.hidden = all.length < 2;
    tested.update(
      all.map((each) => ({ value: testedKey(each), label: `${each.split} of ${fileName(each.data)}` })),
      data === undefined ? '' : testedKey(data),
    );
    on.textContent = data === undefined ? '' : `${data.split} images of ${data.data}`;
    const notes = shown()?.selection?.notes ?? [];
    selection.hidden = notes.length === 0;
    selection.textContent = notes.join(' ');
    refusal.hidden = known?.refusal === undefined;
    refusal.textContent = known?.refusal ?? '';
    setDisabled(exporting, shown() === undefined);
    error.hidden = problem === undefined;
    error.textContent = problem ?? '';
  };
  const drawProgress = (): void => {
    busy.hidden = progress?.busy !== true;
    if (progress?.busy !== true) return;
    const { what, done, total } = progress;
    progressLine.textContent = total > 0 ? `${what} ${done} of ${total}` : what;
    spoken.say(what);
  };
  const drawFigures = (evaluation: Evaluation | undefined): void => {
    const testButton = (crops: 1 | 5, again: boolean) => {
      const made = button({
        label: again ? 'Test again' : 'Test',
        primary: !again,
        onClick: () => send({ type: 'test', crops }),
      });
      setDisabled(made, progress?.busy === true || known?.refusal !== undefined);
      return made;
    };
    const chosen = evaluation?.cropCount ?? state.value.crops;
    const onChoose = (crops: 1 | 5) => change({ crops, cell: undefined });
    figures.replaceChildren(
      evaluationFigures({ evaluations: pair(), written: known?.written, chosen, onChoose, testButton }),
    );
    if (evaluation !== undefined)
      spoken.say(`Accuracy ${percent(evaluation.accuracy)} over ${images(evaluation.images)}`);
  };
  const drawConfusions = (evaluation: Evaluation): void => {
    const name = classNames(evaluation);
    const small = evaluation.perClass.length <= largestMatrix;
    const confusions = topConfusions(evaluation, shownConfusions);
    const { cell } = state.value;
    matrix.replaceChildren(
      ...(small
        ? [
            element('h2', {}, ['Confusions']),
            confusionGrid({ matrix: confusionMatrix(evaluation), name, selected: cell, onOpen: openCell }),
          ]
        : []),
      element('h2', {}, ['Most frequent confusions']),
      confusions.length === 0
        ? element('p', { class: 'hint' }, ['None: every image is predicted right.'])
        : confusionList(confusions, name, cell, openCell),
    );
    behind.hidden = cell === undefined;
    if (cell === undefined) return;
    const results = imagesBehind(evaluation, cell.actual, cell.predicted);
    behind.replaceChildren(
      element('h2', {}, [
        `${name(cell.actual)} predicted as ${name(cell.predicted)}: ${images(results.length)} `,
        element(
          'button',
          { type: 'button', class: 'icon', 'aria-label': 'Close', onclick: () => change({ cell: undefined }) },
          ['×'],
        ),
      ]),
      gallery(results, evaluation),
    );
  };
  const drawClasses = (evaluation: Evaluation): void => {
    const onSort = (order: EvaluationPageState['order']) => change({ order });
    classes.replaceChildren(
      element('h2', {}, ['Classes']),
      classTable({ evaluation, order: state.value.order, onSort, onOpen: openCell }),
    );
  };
  const drawMislabels = (evaluation: Evaluation): void => {
    suspicion.update(
      suspicions.map((each) => ({ value: String(each), label: `${each} %` })),
      String(state.value.suspicion),
    );
    const suspected = suspectedMislabels(evaluation, state.value.suspicion / 100);
    suspects.replaceChildren(
      element('p', { class: 'hint' }, [
        suspected.length === 0
          ? 'None.'
          : `${images(suspected.length)} whose folder may be wrong, the surest first. Nothing is moved: look, then decide.`,
      ]),
      gallery(suspected, evaluation),
    );
  };
  const refresh = everyFrame(() => {
    const evaluation = shown();
    drawHeader();
    drawProgress();
    keepFocus(figures, () => drawFigures(evaluation));
    details.hidden = evaluation === undefined;
    if (evaluation === undefined) return;
    keepFocus(details, () => {
      drawConfusions(evaluation);
      drawClasses(evaluation);
      drawMislabels(evaluation);
    });
  });
  refresh();

  return (message) => {
    switch (message.type) {
      case 'evaluations':
        known = message;
        break;
      case 'progress': {
        const began = message.busy !== (progress?.busy === true);
        progress = message;
        if (message.busy) problem = undefined;
        // While it counts, nothing else changes: what has the focus stays.
        if (!began) {
          drawProgress();
          return;
        }
        break;
      }
      case 'error':
        problem = message.message;
        break;
      case 'picture':
        pictures.arrived(message.image, message.picture);
        return;
    }
    refresh();
  };
}

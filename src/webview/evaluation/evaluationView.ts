import * as l10n from '@vscode/l10n';
import type { EvaluationPanelToHost, EvaluationPanelToPage } from '../../protocol/evaluationPanel.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import { announcer } from '../components/announcer.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import { images, percent } from '../components/format.ts';
import type { KeptState } from '../components/host.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { keepScroll } from '../components/keepScroll.ts';
import { pictureStore } from '../components/pictures.ts';
import { button, setDisabled } from '../components/toolkit.ts';
import { behindSection } from './behindSection.ts';
import { byCrops, selectionNotes, testedData, testedKey } from './chooseEvaluation.ts';
import { classSection } from './classSection.ts';
import type { Cell } from './confusionGrid.ts';
import { classNames, type ImageResult } from './confusions.ts';
import { confusionSection } from './confusionSection.ts';
import { classesCsv, imagesCsv } from './evaluationCsv.ts';
import { evaluationFigures } from './evaluationFigures.ts';
import { exportConfusions } from './exportConfusions.ts';
import { imageResults } from './imageResults.ts';
import { mislabelSection } from './mislabelSection.ts';
import type { EvaluationPageState } from './pageState.ts';
import { shownEvaluation, type ShownEvaluation } from './shownEvaluation.ts';
import { testHeader } from './testHeader.ts';

const shownImages = 24;
const thumbnailPixels = 160;

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

  const change = (part: Partial<EvaluationPageState>): void => {
    state.change(part);
    refresh();
  };
  const chosenData = () => {
    const all = testedData(known?.evaluations ?? []);
    return all.find((each) => testedKey(each) === state.value.tested) ?? all[0];
  };
  const pair = (): { 1?: ShownEvaluation; 5?: ShownEvaluation } => {
    const data = chosenData();
    const found = data === undefined ? {} : byCrops(known?.evaluations ?? [], data);
    return { ...(found[1] && { 1: shownEvaluation(found[1]) }), ...(found[5] && { 5: shownEvaluation(found[5]) }) };
  };
  const shown = (): ShownEvaluation | undefined => {
    const evaluations = pair();
    return evaluations[state.value.crops] ?? evaluations[5] ?? evaluations[1];
  };
  const withShown = (use: (evaluation: ShownEvaluation) => void) => () => {
    const evaluation = shown();
    if (evaluation !== undefined) use(evaluation);
  };
  const openCell = ({ actual, predicted }: Cell): void => {
    change({ cell: { actual, predicted } });
    requestAnimationFrame(() => behind.element.focus());
  };
  const keepScrolled = (part: Partial<EvaluationPageState['scroll']>): void =>
    state.change({ scroll: { ...state.value.scroll, ...part } });

  const pictures = pictureStore((image) => send({ type: 'picture', image, size: thumbnailPixels }));
  const gallery = (results: readonly ImageResult[], evaluation: ShownEvaluation): HTMLElement =>
    imageResults({
      results,
      name: classNames(evaluation),
      pictures,
      limit: shownImages,
      onOpen: (image) => send({ type: 'open', image }),
      onReveal: (image) => send({ type: 'reveal', image }),
    });

  const spoken = announcer();
  const header = testHeader({
    onTested: (tested) => change({ tested, cell: undefined }),
    onExport: withShown((evaluation) =>
      send({ type: 'export', what: 'images', format: 'csv', content: imagesCsv(evaluation) }),
    ),
    onCancel: () => send({ type: 'cancel' }),
  });
  const figures = element('section', { 'aria-label': l10n.t('Results') });
  const confusions = confusionSection({
    onOpen: openCell,
    onValue: (cellValue) => change({ cellValue }),
    onExport: (format) =>
      withShown((evaluation) => {
        const { cellValue: value } = state.value;
        void exportConfusions(format, { evaluation, label: known?.label ?? '', value }).then((content) =>
          send({ type: 'export', what: 'confusions', format, content }),
        );
      })(),
  });
  const behind = behindSection(gallery, () => change({ cell: undefined }));
  const classes = classSection({
    onSort: (order) => change({ order }),
    onOpen: openCell,
    onExport: withShown((evaluation) =>
      send({ type: 'export', what: 'classes', format: 'csv', content: classesCsv(evaluation) }),
    ),
    scrolled: state.value.scroll.classes,
    onScroll: (top) => keepScrolled({ classes: top }),
  });
  const mislabels = mislabelSection(gallery, (suspicion) => change({ suspicion }));
  const sections = [confusions.element, behind.element, classes.element, mislabels.element];
  const details = element('div', { class: 'details' }, sections);
  root.append(spoken.element, element('main', {}, [...header.elements, figures, details]));
  keepScroll({ kept: state.value.scroll.page, keep: (page) => keepScrolled({ page }) });

  const testButton = (crops: CropCount, again: boolean) => {
    const label = again ? l10n.t('Test again') : l10n.t('Test');
    const made = button({ label, primary: !again, onClick: () => send({ type: 'test', crops }) });
    setDisabled(made, progress?.busy === true || known?.refusal !== undefined);
    return made;
  };
  const drawFigures = (evaluation: ShownEvaluation | undefined): void => {
    const chosen = evaluation?.cropCount ?? state.value.crops;
    const onChoose = (crops: CropCount) => change({ crops, cell: undefined });
    const drawn = evaluationFigures({ evaluations: pair(), written: known?.written, chosen, onChoose, testButton });
    keepFocus(figures, () => figures.replaceChildren(drawn));
  };
  const refresh = everyFrame(() => {
    const evaluation = shown();
    const { cell, cellValue, order, suspicion } = state.value;
    header.draw({
      label: known?.label,
      tested: testedData(known?.evaluations ?? []),
      chosen: chosenData(),
      notes: selectionNotes(pair()),
      refusal: known?.refusal,
      problem,
    });
    header.drawProgress(progress);
    drawFigures(evaluation);
    details.hidden = evaluation === undefined;
    if (evaluation === undefined) return;
    if (progress?.busy !== true) {
      spoken.say(l10n.t('Accuracy {0} over {1}', percent(evaluation.accuracy), images(evaluation.images)));
    }
    confusions.draw(evaluation, cell, cellValue);
    behind.draw(evaluation, cell);
    classes.draw(evaluation, order);
    mislabels.draw(evaluation, suspicion);
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
        spoken.say(message.what);
        // While it counts, nothing else changes.
        if (!began) {
          header.drawProgress(progress);
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

import type { EvaluationPanelToHost } from '../../protocol/evaluationPanel.ts';
import { element } from '../components/element.ts';
import type { KeptState } from '../components/host.ts';
import { pictureStore } from '../components/pictures.ts';
import { behindSection } from './behindSection.ts';
import { classSection } from './classSection.ts';
import type { Cell } from './confusionGrid.ts';
import { classNames, type ImageResult } from './confusions.ts';
import { confusionSection } from './confusionSection.ts';
import { classesCsv } from './evaluationCsv.ts';
import { exportConfusions } from './exportConfusions.ts';
import { imageResults } from './imageResults.ts';
import { mislabelSection } from './mislabelSection.ts';
import type { EvaluationPageState } from './pageState.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

const shownImages = 24;
const thumbnailPixels = 160;

export type DetailSectionsOptions = {
  state: KeptState<EvaluationPageState>;
  /** Keeps a choice and draws the page anew. */
  change: (part: Partial<EvaluationPageState>) => void;
  /** The test that is shown, and what the page calls its checkpoint. */
  shown: () => { evaluation: ShownEvaluation | undefined; label: string };
  send: (message: EvaluationPanelToHost) => void;
};

export type DetailSections = {
  element: HTMLElement;
  draw: (evaluation: ShownEvaluation | undefined) => void;
  /** Takes a picture that was asked for. */
  arrived: (image: string, picture: string) => void;
};

/** All of one test: which classes are confused, the images behind a cell, figures of the classes, doubtful labels. */
export function detailSections({ state, change, shown, send }: DetailSectionsOptions): DetailSections {
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
  const openCell = ({ actual, predicted }: Cell): void => {
    change({ cell: { actual, predicted } });
    requestAnimationFrame(() => behind.element.focus());
  };
  const exportMatrix = async (format: 'png' | 'svg'): Promise<void> => {
    const { evaluation, label } = shown();
    if (evaluation === undefined) return;
    const content = await exportConfusions(format, { evaluation, label, value: state.value.cellValue });
    send({ type: 'export', what: 'confusions', format, content });
  };
  const exportClasses = (): void => {
    const { evaluation } = shown();
    if (evaluation === undefined) return;
    send({ type: 'export', what: 'classes', format: 'csv', content: classesCsv(evaluation) });
  };

  const confusions = confusionSection({
    onOpen: openCell,
    onValue: (cellValue) => change({ cellValue }),
    onExport: (format) => void exportMatrix(format),
  });
  const behind = behindSection(gallery, () => change({ cell: undefined }));
  const classes = classSection({
    onSort: (order) => change({ order }),
    onOpen: openCell,
    onExport: exportClasses,
    scrolled: state.value.scroll.classes,
    onScroll: (top) => state.change({ scroll: { ...state.value.scroll, classes: top } }),
  });
  const mislabels = mislabelSection(gallery, (suspicion) => change({ suspicion }));
  const sections = [confusions, behind, classes, mislabels].map((section) => section.element);
  const all = element('div', { class: 'details' }, sections);
  return {
    element: all,
    draw: (evaluation) => {
      all.hidden = evaluation === undefined;
      if (evaluation === undefined) return;
      const { cell, cellValue, order, suspicion } = state.value;
      confusions.draw(evaluation, cell, cellValue);
      behind.draw(evaluation, cell);
      classes.draw(evaluation, order);
      mislabels.draw(evaluation, suspicion);
    },
    arrived: pictures.arrived,
  };
}

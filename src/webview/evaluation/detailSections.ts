import type { EvaluationPanelToHost } from '../../protocol/evaluationPanel.ts';
import { seesWholeImage } from '../../protocol/preprocessing.ts';
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
import type { ImageGroup } from './imageGroup.ts';
import { imageResults } from './imageResults.ts';
import { mislabelSection } from './mislabelSection.ts';
import type { EvaluationPageState } from './pageState.ts';
import { cropsSection } from './cropsSection.ts';
import { rejectSection } from './rejectSection.ts';
import { reliabilitySection } from './reliabilitySection.ts';
import { sliceSection } from './sliceSection.ts';
import type { ShownTests } from './shownTests.ts';
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
  /** `written` is when the checkpoint was. */
  draw: (tests: ShownTests, written: string | undefined) => void;
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
  const open = (group: ImageGroup): void => {
    change({ group });
    requestAnimationFrame(() => behind.element.focus());
  };
  const openCell = ({ actual, predicted }: Cell): void => open({ kind: 'cell', actual, predicted });
  const exportMatrix = async (format: 'png' | 'svg'): Promise<void> => {
    const { evaluation, label } = shown();
    if (evaluation === undefined) return;
    const content = await exportConfusions(format, { evaluation, label, value: state.value.cellValue });
    send({ type: 'export', what: 'confusions', format, content });
  };
  const exportClasses = (): void => {
    const { evaluation, label } = shown();
    if (evaluation === undefined) return;
    send({ type: 'export', what: 'classes', format: 'csv', content: classesCsv(evaluation, label) });
  };

  const confusions = confusionSection({
    onOpen: openCell,
    onValue: (cellValue) => change({ cellValue }),
    onExport: (format) => void exportMatrix(format),
  });
  const behind = behindSection(gallery, () => change({ group: undefined }));
  const classes = classSection({
    onSort: (order) => change({ order }),
    onOpen: openCell,
    onExport: exportClasses,
    scrolled: state.value.scroll.classes,
    onScroll: (top) => state.change({ scroll: { ...state.value.scroll, classes: top } }),
  });
  const reliability = reliabilitySection((place) => open({ kind: 'bin', place }));
  const reject = rejectSection((chosen) => {
    // Images of another threshold would stay beside the new counts.
    change({ reject: chosen, ...(state.value.group?.kind === 'confidence' && { group: undefined }) });
  }, open);
  const crops = cropsSection((right) => open({ kind: 'crops', right }));
  const slices = sliceSection((chosen) => change({ slices: chosen, group: undefined }), open);
  const mislabels = mislabelSection(
    gallery,
    (suspicion) => change({ suspicion }),
    (data) => send({ type: 'clean', data }),
  );
  mislabels.element.classList.add('wide');
  const rows = [[confusions, classes], [reliability, reject], [slices, crops], [mislabels]];
  const all = element('div', { class: 'details' }, [
    ...rows.flatMap((row, at) => row.map((section) => inRow(section.element, at))),
    behind.element,
  ]);
  return {
    element: all,
    draw: ({ evaluation, pair, validation }, written) => {
      all.hidden = evaluation === undefined;
      if (evaluation === undefined) return;
      const { group, cellValue, order, suspicion, reject: chosen } = state.value;
      confusions.draw(evaluation, group?.kind === 'cell' ? group : undefined, cellValue);
      classes.draw(evaluation, order);
      reliability.draw(evaluation, group?.kind === 'bin' ? group.place : undefined);
      reject.draw(evaluation, validation, chosen);
      crops.element.hidden = seesWholeImage(evaluation.fit);
      crops.draw(pair[1], pair[5], written);
      slices.draw(evaluation, state.value.slices);
      mislabels.draw(evaluation, suspicion);
      behind.draw(evaluation, pair[1], pair[5], group);
      if (group) inRow(behind.element, rowOf[group.kind] + 0.5);
    },
    arrived: pictures.arrived,
  };
}

/** The row of sections that images of a group are shown below. */
const rowOf: Record<ImageGroup['kind'], number> = { cell: 0, bin: 1, confidence: 1, crops: 2, slice: 2 };

function inRow(section: HTMLElement, row: number): HTMLElement {
  section.style.order = String(row * 2);
  return section;
}

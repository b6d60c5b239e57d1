import type { ConfidenceCalibration } from '../../protocol/confidenceCalibration.ts';
import { splitNames } from '../../protocol/dataReport.ts';
import type { EvaluationPanelToHost } from '../../protocol/evaluationPanel.ts';
import type { ImageTable } from '../../protocol/imageTable.ts';
import { seesWholeImage } from '../../protocol/preprocessing.ts';
import { element } from '../components/element.ts';
import { noteFocus } from '../components/keepFocus.ts';
import { imageGallery } from '../components/imageGallery.ts';
import type { KeptState } from '../components/host.ts';
import { pictureStore } from '../components/pictures.ts';
import { behindSection, type BehindSection } from './behindSection.ts';
import { classSection, type ClassSection } from './classSection.ts';
import type { Cell } from './confusionGrid.ts';
import { classNames, type ImageResult } from './confusions.ts';
import { confusionSection, type ConfusionSection, needsWidth } from './confusionSection.ts';
import { classesCsv } from './evaluationCsv.ts';
import { curvesSection, type CurvesFormat, type CurvesSection } from './curvesSection.ts';
import { exportCurves } from './exportCurves.ts';
import { galleryImage } from './galleryImage.ts';
import { exportConfusions } from './exportConfusions.ts';
import type { ImageGroup } from './imageGroup.ts';
import { mislabelSection } from './mislabelSection.ts';
import type { EvaluationPageState } from './pageState.ts';
import { cropsSection, type CropsSection } from './cropsSection.ts';
import { rejectSection, type RejectSection } from './rejectSection.ts';
import { reliabilitySection, type ReliabilitySection } from './reliabilitySection.ts';
import { sliceSection, type SliceSection } from './sliceSection.ts';
import type { ShownScores } from './shownScores.ts';
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

/** What the host says besides the tests. */
export type KnownOfTests = {
  /** When the checkpoint was written. */
  written: string | undefined;
  calibration: ConfidenceCalibration | undefined;
  table: ImageTable | undefined;
  /** The probabilities of the test that is shown; undefined until they are known, or if it keeps none, and then why. */
  scores: ShownScores | undefined;
  lacking: string;
  /** Whether anything can be computed now. */
  canTest: boolean;
};

export type DetailSections = {
  element: HTMLElement;
  draw: (tests: ShownTests, known: KnownOfTests) => void;
  /** Brings the images of the group to the reader as soon as they are drawn. */
  goToImages: () => void;
  /** Takes a picture that was asked for. */
  arrived: (image: string, picture: string) => void;
};

/** All of one test: which classes are confused, the images behind a cell, figures of the classes, doubtful labels. */
export function detailSections({ state, change, shown, send }: DetailSectionsOptions): DetailSections {
  let drawn: Drawn | undefined;
  const pictures = pictureStore((image) => send({ type: 'picture', image, size: thumbnailPixels }));
  const gallery = (results: readonly ImageResult[], evaluation: ShownEvaluation): HTMLElement => {
    const name = classNames(evaluation);
    return imageGallery({
      images: results.map((result) => galleryImage(result, name)),
      pictures,
      limit: shownImages,
      onOpen: (image) => send({ type: 'open', image }),
      onReveal: (image) => send({ type: 'reveal', image }),
    });
  };
  const { open, close } = groupOpener(change, () => behind.element.focus());
  const openCell = ({ actual, predicted }: Cell): void => open({ kind: 'cell', actual, predicted });
  const actions = detailActions({ state, shown, send }, () => drawn);

  const confusions = confusionSection({
    onOpen: openCell,
    onValue: (cellValue) => change({ cellValue }),
    onClasses: (matrix) => change({ matrix }),
    onExport: (format) => void actions.exportMatrix(format),
  });
  const behind = behindSection(gallery, close);
  const classes = classSection({
    onSort: (order) => change({ order }),
    onOpen: openCell,
    onExport: actions.exportClasses,
    scrolled: state.value.scroll.classes,
    onScroll: (top) => state.change({ scroll: { ...state.value.scroll, classes: top } }),
  });
  const reliability = reliabilitySection((place) => open({ kind: 'bin', place }), {
    onCalibrate: actions.calibrate,
    onRemove: actions.uncalibrate,
    onTarget: (calibrateFor) => change({ calibrateFor }),
  });
  const reject = rejectSection((chosen) => {
    // Images of another threshold would stay beside the new counts.
    change({ reject: chosen, ...(state.value.group?.kind === 'confidence' && { group: undefined }) });
  }, open);
  const crops = cropsSection((right) => open({ kind: 'crops', right }));
  const curves = curvesSection({
    // Images of another threshold would stay beside the new numbers.
    onChoose: (chosen) => change({ curves: chosen, ...(state.value.group?.kind === 'curve' && { group: undefined }) }),
    onOpen: open,
    onExport: (format) => void actions.exportScores(format),
  });
  const slices = sliceSection({
    onChoose: (chosen) => change({ slices: chosen, group: undefined }),
    onChooseTable: () => send({ type: 'chooseTable' }),
    onOpen: open,
  });
  const mislabels = mislabelSection(
    gallery,
    (suspicion) => change({ suspicion }),
    (data) => send({ type: 'clean', data }),
  );
  for (const { element: wide } of [mislabels, curves]) wide.classList.add('wide');
  const sections = { confusions, behind, classes, reliability, reject, crops, curves, slices, mislabels };
  const rows = [[confusions, classes], [reliability, reject], [curves], [slices, crops], [mislabels]];
  const all = element('div', { class: 'details' }, [
    ...rows.flatMap((row, at) => row.map((section) => inRow(section.element, at))),
    behind.element,
  ]);
  return {
    element: all,
    draw: (tests, known) => {
      const { evaluation } = tests;
      all.hidden = evaluation === undefined;
      drawn = { tests, known };
      if (evaluation !== undefined) drawDetails(sections, evaluation, drawn, state.value);
    },
    goToImages: behind.goTo,
    arrived: pictures.arrived,
  };
}

/** Leads to the images of a group, and back to the control that led there. */
function groupOpener(change: DetailSectionsOptions['change'], focus: () => void) {
  let goBack = (): void => undefined;
  return {
    open: (group: ImageGroup): void => {
      goBack = noteFocus();
      change({ group });
      requestAnimationFrame(focus);
    },
    close: (): void => {
      change({ group: undefined });
      requestAnimationFrame(goBack);
    },
  };
}

type Drawn = { tests: ShownTests; known: KnownOfTests };

/** The sections of the page, and of the images of a group. */
type Sections = {
  confusions: ConfusionSection;
  behind: BehindSection;
  classes: ClassSection;
  reliability: ReliabilitySection;
  reject: RejectSection;
  crops: CropsSection;
  curves: CurvesSection;
  slices: SliceSection;
  mislabels: ReturnType<typeof mislabelSection>;
};

function drawDetails(sections: Sections, evaluation: ShownEvaluation, drawn: Drawn, state: EvaluationPageState): void {
  const { pair, validation } = drawn.tests;
  const { scores, table, calibration, canTest, written, lacking } = drawn.known;
  const { group } = state;
  sections.confusions.draw(evaluation, group?.kind === 'cell' ? group : undefined, state.cellValue, state.matrix);
  sections.classes.element.classList.toggle('wide', needsWidth(evaluation.perClass.length));
  sections.classes.draw(evaluation, state.order);
  const calibrating = { calibration, targetError: state.calibrateFor, canCalibrate: canTest };
  sections.reliability.draw(evaluation, group?.kind === 'bin' ? group.place : undefined, calibrating);
  sections.reject.draw(evaluation, validation, state.reject);
  sections.crops.element.hidden = seesWholeImage(evaluation.fit);
  sections.crops.draw(pair[1], pair[5], written);
  sections.curves.draw(evaluation, scores, lacking, state.curves);
  sections.slices.draw(evaluation, state.slices, table);
  sections.mislabels.draw(evaluation, state.suspicion);
  sections.behind.draw(evaluation, pair[1], pair[5], group, { scores, table });
  if (group) inRow(sections.behind.element, rowOf[group.kind] + 0.5);
}

/** What leaves the page: files to save, and what changes the checkpoint. */
function detailActions(
  { state, shown, send }: Pick<DetailSectionsOptions, 'state' | 'shown' | 'send'>,
  drawn: () => Drawn | undefined,
) {
  /** The tests that are shown, to be made again; undefined if they cannot be. */
  const again = () => {
    const { chosen, pair } = drawn()?.tests ?? {};
    const split = splitNames.find((name) => name === chosen?.split);
    if (chosen === undefined || split === undefined) return undefined;
    return { data: chosen.data, split, crops: ([1, 5] as const).filter((each) => pair?.[each] !== undefined) };
  };
  return {
    exportMatrix: async (format: 'png' | 'svg'): Promise<void> => {
      const { evaluation, label } = shown();
      if (evaluation === undefined) return;
      const content = await exportConfusions(format, { evaluation, label, value: state.value.cellValue });
      send({ type: 'export', what: 'confusions', format, content });
    },
    exportScores: async (format: CurvesFormat): Promise<void> => {
      const { evaluation, label } = shown();
      const scores = drawn()?.known.scores;
      if (evaluation === undefined || scores === undefined) return;
      const content = await exportCurves(format, { evaluation, scores, of: state.value.curves.of, label });
      send({ type: 'export', what: 'curves', format, content });
    },
    calibrate: (targetError: number | undefined): void => {
      const tests = again();
      if (tests) send({ type: 'calibrate', ...(targetError === undefined ? {} : { targetError }), again: tests });
    },
    uncalibrate: (): void => {
      const tests = again();
      if (tests) send({ type: 'uncalibrate', again: tests });
    },
    exportClasses: (): void => {
      const { evaluation, label } = shown();
      if (evaluation === undefined) return;
      send({ type: 'export', what: 'classes', format: 'csv', content: classesCsv(evaluation, label) });
    },
  };
}

/** The row of sections that images of a group are shown below. */
const rowOf: Record<ImageGroup['kind'], number> = {
  ...{ named: -1, cell: 0, bin: 1, confidence: 1 },
  ...{ curve: 2, crops: 3, slice: 3 },
};

function inRow(section: HTMLElement, row: number): HTMLElement {
  section.style.order = String(row * 2);
  return section;
}

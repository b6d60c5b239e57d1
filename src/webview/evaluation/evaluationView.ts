import * as l10n from '@vscode/l10n';
import type { EvaluationPanelToHost, EvaluationPanelToPage } from '../../protocol/evaluationPanel.ts';
import { announcer } from '../components/announcer.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import { images, percent } from '../../charts/format.ts';
import type { KeptState } from '../components/host.ts';
import { keepScroll } from '../components/keepScroll.ts';
import { selectionNotes, testedKey } from './chooseEvaluation.ts';
import { detailSections, type DetailSectionsOptions } from './detailSections.ts';
import { imagesCsv } from './evaluationCsv.ts';
import { figuresSection } from './figuresSection.ts';
import type { EvaluationPageState } from './pageState.ts';
import { knownScores } from './knownScores.ts';
import { shownTests } from './shownTests.ts';
import { testHeader } from './testHeader.ts';

type Of<Type extends EvaluationPanelToPage['type']> = Extract<EvaluationPanelToPage, { type: Type }>;

/** The test that is shown, and what the page calls its checkpoint. */
type Tested = ReturnType<DetailSectionsOptions['shown']>;

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
  let table: Of<'table'>['table'] | undefined;
  const probabilities = knownScores((time, crops) => send({ type: 'probabilities', time, crops }));

  const change = (part: Partial<EvaluationPageState>): void => {
    state.change(part);
    refresh();
  };
  const shown = () => shownTests(known?.evaluations ?? [], state.value, known?.written);

  const tested = (): Tested => ({ evaluation: shown().evaluation, label: known?.label ?? '' });

  const spoken = announcer();
  const header = testHeader({
    onTested: (tested) => change({ tested, group: undefined }),
    onExport: () => exportImages(tested(), send),
    onCancel: () => send({ type: 'cancel' }),
  });
  const figures = figuresSection({
    onChoose: (crops) => change({ crops, group: undefined }),
    onTest: (crops) => send({ type: 'test', crops }),
  });
  const details = detailSections({ state, change, shown: tested, send });
  root.append(spoken.element, element('main', {}, [...header.elements, figures.element, details.element]));
  keepPageScroll(state);

  const refresh = everyFrame(() => {
    const tests = shown();
    const { pair, evaluation } = tests;
    header.draw({ ...tests, label: known?.label, notes: selectionNotes(pair), refusal: known?.refusal, problem });
    header.drawProgress(progress);
    const canTest = progress?.busy !== true && known?.refusal === undefined;
    figures.draw({
      evaluations: pair,
      wholeImages: known?.wholeImages === true,
      written: known?.written,
      chosen: evaluation?.cropCount ?? state.value.crops,
      canTest,
    });
    const { written, calibration } = known ?? {};
    details.draw(tests, { written, calibration, table, canTest, ...probabilities.of(evaluation) });
    if (evaluation !== undefined && progress?.busy !== true) spoken.say(accuracyOf(evaluation));
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
      case 'probabilities':
        probabilities.arrived(message, message.probabilities);
        break;
      case 'table':
        ({ table } = message);
        break;
      case 'show':
        change(shownBy(message));
        if (message.images) details.goToImages();
        return;
      case 'picture':
        details.arrived(message.image, message.picture);
        return;
    }
    refresh();
  };
}

function exportImages({ evaluation, label }: Tested, send: EvaluationViewOptions['send']): void {
  if (evaluation === undefined) return;
  send({ type: 'export', what: 'images', format: 'csv', content: imagesCsv(evaluation, label) });
}

/** What the page shows as its host says. */
function shownBy({ data, split, crops, images: named }: Of<'show'>): Partial<EvaluationPageState> {
  return { tested: testedKey({ data, split }), crops, group: named && { kind: 'named', ...named } };
}

function keepPageScroll(state: KeptState<EvaluationPageState>): void {
  keepScroll({
    kept: state.value.scroll.page,
    keep: (page) => state.change({ scroll: { ...state.value.scroll, page } }),
  });
}

function accuracyOf(evaluation: { accuracy: number; images: number }): string {
  return l10n.t('Accuracy {0} over {1}', percent(evaluation.accuracy), images(evaluation.images));
}

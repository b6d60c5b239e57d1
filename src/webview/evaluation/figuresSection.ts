import * as l10n from '@vscode/l10n';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import { element } from '../components/element.ts';
import { count, images as imageCount, percent, short } from '../../charts/format.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { button, setDisabled } from '../components/toolkit.ts';
import { cropsTitle, isOutdated } from './chooseEvaluation.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

export type FiguresOptions = {
  onChoose: (crops: CropCount) => void;
  /** Tests, or tests again, with so many crops. */
  onTest: (crops: CropCount) => void;
};

export type ShownFigures = {
  evaluations: { 1?: ShownEvaluation; 5?: ShownEvaluation };
  /** Whether the checkpoint's network sees whole images, so that there are no five crops to test with. */
  wholeImages: boolean;
  /** When the checkpoint was written. */
  written: string | undefined;
  chosen: CropCount;
  canTest: boolean;
};

export type FiguresSection = { element: HTMLElement; draw: (figures: ShownFigures) => void };

/** One crop and five side by side; the better accuracy is marked. */
export function figuresSection(options: FiguresOptions): FiguresSection {
  const section = element('section', { 'aria-label': l10n.t('Results') });
  return {
    element: section,
    draw: (figures) => {
      const crops = figures.wholeImages ? ([1] as const) : ([5, 1] as const);
      const cards = crops.map((count) => figureCard(count, figures, options));
      keepFocus(section, () => section.replaceChildren(element('div', { class: 'figure-cards' }, cards)));
    },
  };
}

function testButton(crops: CropCount, again: boolean, canTest: boolean, { onTest }: FiguresOptions): HTMLElement {
  const label = again ? l10n.t('Test again') : l10n.t('Test');
  const made = button({ label, primary: !again, onClick: () => onTest(crops) });
  setDisabled(made, !canTest);
  return made;
}

function figureCard(crops: CropCount, figures: ShownFigures, options: FiguresOptions): HTMLElement {
  const { evaluations, written, chosen, canTest } = figures;
  const evaluation = evaluations[crops];
  const title = element('h2', {}, [cropsTitle(crops, figures.wholeImages)]);
  if (evaluation === undefined) {
    const untested = element('p', { class: 'hint' }, [l10n.t('Not tested yet.')]);
    return element('article', { class: 'card figures' }, [title, untested, testButton(crops, false, canTest, options)]);
  }
  const both = evaluations[1] !== undefined && evaluations[5] !== undefined;
  const best = Math.max(evaluations[1]?.accuracy ?? 0, evaluations[5]?.accuracy ?? 0);
  const shown = chosen === crops;
  const details = { type: 'button', class: 'link', 'aria-pressed': shown, onclick: () => options.onChoose(crops) };
  return element('article', { class: shown ? 'card figures chosen' : 'card figures' }, [
    title,
    element('p', { class: 'accuracy' }, [
      percent(evaluation.accuracy, 2),
      element('small', {}, [both && evaluation.accuracy === best ? l10n.t('accuracy ★') : l10n.t('accuracy')]),
    ]),
    figureList(evaluation),
    isOutdated(evaluation, written)
      ? element('p', { class: 'note' }, [l10n.t('⚠ The checkpoint has changed since this test. Test it again.')])
      : undefined,
    both ? element('button', details, [shown ? l10n.t('Details are shown below') : l10n.t('Show details')]) : undefined,
    testButton(crops, true, canTest, options),
  ]);
}

function figureList(evaluation: ShownEvaluation): HTMLElement {
  const { top5, loss, images, leftOut, time, accuracyInterval, macro, weighted, perClass, temperature } = evaluation;
  const figures = [
    [l10n.t('95 % interval'), l10n.t('{0} to {1}', percent(accuracyInterval.low), percent(accuracyInterval.high))],
    [l10n.t('F1, mean over classes'), percent(macro.f1, 2)],
    [l10n.t('F1, weighted by images'), percent(weighted.f1, 2)],
    // With no more than five classes it says nothing.
    ...(perClass.length > 5 || top5 < 1 ? [[l10n.t('Top-5'), percent(top5, 2)]] : []),
    [l10n.t('Loss'), short(loss)],
    ...(temperature
      ? [
          [
            l10n.t('Temperature'),
            l10n.t('{0}, fitted on {1}', temperature.value.toFixed(2), imageCount(temperature.images)),
          ],
        ]
      : []),
    [l10n.t('Images'), leftOut === 0 ? count(images) : l10n.t('{0}, {1} left out', count(images), count(leftOut))],
    [l10n.t('Tested'), new Date(time).toLocaleString()],
  ];
  return element(
    'dl',
    {},
    figures.map(([name, value]) => element('div', {}, [element('dt', {}, [name]), element('dd', {}, [value])])),
  );
}

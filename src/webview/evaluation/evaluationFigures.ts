import type { Evaluation } from '../../protocol/evaluation.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import { element } from '../components/element.ts';
import { count, percent, short } from '../components/format.ts';
import { isOutdated } from './chooseEvaluation.ts';

export type FiguresOptions = {
  evaluations: { 1?: Evaluation; 5?: Evaluation };
  /** When the checkpoint was written. */
  written: string | undefined;
  chosen: CropCount;
  onChoose: (crops: CropCount) => void;
  /** Makes the button that tests with so many crops. */
  testButton: (crops: CropCount, again: boolean) => HTMLElement;
};

/** One crop and five side by side; the better accuracy is marked. */
export function evaluationFigures({ evaluations, written, chosen, onChoose, testButton }: FiguresOptions): HTMLElement {
  const best = Math.max(evaluations[1]?.accuracy ?? 0, evaluations[5]?.accuracy ?? 0);
  const both = evaluations[1] !== undefined && evaluations[5] !== undefined;
  const cards = ([5, 1] as const).map((crops) => {
    const evaluation = evaluations[crops];
    const title = crops === 5 ? 'Five crops' : 'Centre crop';
    if (evaluation === undefined) {
      return element('article', { class: 'card figures' }, [
        element('h2', {}, [title]),
        element('p', { class: 'hint' }, ['Not tested yet.']),
        testButton(crops, false),
      ]);
    }
    const details = element(
      'button',
      { type: 'button', class: 'link', 'aria-pressed': chosen === crops, onclick: () => onChoose(crops) },
      [chosen === crops ? 'Details are shown below' : 'Show details'],
    );
    return element('article', { class: chosen === crops ? 'card figures chosen' : 'card figures' }, [
      element('h2', {}, [title]),
      element('p', { class: 'accuracy' }, [
        percent(evaluation.accuracy, 2),
        element('small', {}, [both && evaluation.accuracy === best ? 'accuracy ★' : 'accuracy']),
      ]),
      figureList(evaluation),
      isOutdated(evaluation, written)
        ? element('p', { class: 'note' }, ['⚠ The checkpoint has been written again since: test it again.'])
        : undefined,
      both ? details : undefined,
      testButton(crops, true),
    ]);
  });
  return element('div', { class: 'figure-cards' }, cards);
}

function figureList({ top5, loss, images, leftOut, time }: Evaluation): HTMLElement {
  const figures = [
    ['Top-5', percent(top5, 2)],
    ['Loss', short(loss)],
    ['Images', leftOut === 0 ? count(images) : `${count(images)}, ${count(leftOut)} left out`],
    ['Tested', new Date(time).toLocaleString()],
  ];
  return element(
    'dl',
    {},
    figures.map(([name, value]) => element('div', {}, [element('dt', {}, [name]), element('dd', {}, [value])])),
  );
}

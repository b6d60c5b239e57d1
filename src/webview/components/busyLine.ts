import * as l10n from '@vscode/l10n';
import { createProgressWords, type Progress } from '../../protocol/progressWords.ts';
import { element } from './element.ts';
import { setText } from './setText.ts';
import { button, progressRing } from './toolkit.ts';

export type BusyLine = {
  element: HTMLElement;
  /** Shows how far a work is, how much time is left, and *Cancel*; nothing if there is none. */
  draw: (progress: (Progress & { busy: boolean }) | undefined) => void;
};

const progressWords = () => createProgressWords((time) => l10n.t('{0} left', time));

export function busyLine(onCancel: () => void): BusyLine {
  const line = element('span');
  const box = element('div', { class: 'busy' }, [
    progressRing(),
    line,
    button({ label: l10n.t('Cancel'), onClick: onCancel }),
  ]);
  let words = progressWords();
  let drawn: Progress | undefined;
  return {
    element: box,
    draw: (progress) => {
      box.hidden = progress?.busy !== true;
      if (progress?.busy !== true) words = progressWords();
      // A page is also drawn when nothing is new.
      else if (progress !== drawn) setText(line, words(progress));
      drawn = progress;
    },
  };
}

import * as l10n from '@vscode/l10n';
import { images as imageCount } from '../../charts/format.ts';
import type { SweepPanelToHost } from '../../protocol/sweepPanel.ts';
import { element } from '../components/element.ts';
import { setText } from '../components/setText.ts';
import { button } from '../components/toolkit.ts';
import type { Known, SweepHead } from './known.ts';
import { trialText } from './trialTexts.ts';

export type SweepHeader = { element: HTMLElement; draw: (known: Known) => void };

const states: Readonly<Record<SweepHead['state'], string>> = {
  running: l10n.t('Running'),
  stopping: l10n.t('Stopping: its trials finish their steps and save'),
  finished: l10n.t('Finished'),
  stopped: l10n.t('Stopped'),
  'broken off': l10n.t('Interrupted'),
};

/** Name, state and best trial of a sweep, and what can be done with it. */
export function sweepHeader(send: (message: SweepPanelToHost) => void): SweepHeader {
  const title = element('h1');
  const state = element('p', { class: 'state' });
  const best = element('p');
  const images = element('p', { class: 'hint' });
  const error = element('p', { class: 'notice error', role: 'alert' });
  const stop = button({ label: l10n.t('Stop'), onClick: () => send({ type: 'stop' }) });
  const resume = button({ label: l10n.t('Resume'), primary: true, onClick: () => send({ type: 'resume' }) });
  const again = button({ label: l10n.t('Try failed trials again'), onClick: () => send({ type: 'resume' }) });
  const first = { run: '' };
  const show = button({
    label: l10n.t('Show the best run'),
    onClick: () => send({ type: 'show', runs: [first.run] }),
  });
  return {
    element: element('header', { class: 'top' }, [
      title,
      state,
      best,
      images,
      element('div', { class: 'toolbar' }, [stop, resume, again, show]),
      error,
    ]),
    draw: ({ head, trials, error: failure }) => {
      setText(title, head?.name ?? l10n.t('Sweep'));
      const done = trials.filter((trial) => trial.state !== 'waiting' && trial.state !== 'begun').length;
      setText(state, head ? l10n.t('{0} · {1} of {2} trials', states[head.state], done, head.total) : '');
      const [leader] = trials;
      setText(best, leader?.accuracy === undefined ? '' : l10n.t('Best: {0}', trialText(leader)));
      setText(images, head ? imagesText(head, leader?.accuracy) : '');
      stop.hidden = head?.state !== 'running';
      resume.hidden = head?.state !== 'stopped' && head?.state !== 'broken off';
      // Of any other sweep, a resume tries them again too.
      again.hidden = head?.state !== 'finished' || trials.every(({ cause }) => cause !== 'passing');
      first.run = leader?.run ?? '';
      show.hidden = leader?.accuracy === undefined || leader.run === undefined;
      error.hidden = failure === undefined;
      setText(error, failure ?? '');
    },
  };
}

/** Which images the accuracies are of, and what that means for the best of many. */
function imagesText({ images }: SweepHead, best: number | undefined): string {
  if (best === undefined) return '';
  const chosen = l10n.t('The best of many trials fits these images by chance too; test it on others.');
  return images === undefined
    ? `${l10n.t('Accuracies are the best on the validation images so far.')} ${chosen}`
    : `${l10n.t('Accuracies are the best on {0} for validation so far.', imageCount(images))} ${chosen}`;
}

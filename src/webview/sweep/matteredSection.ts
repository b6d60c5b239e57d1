import * as l10n from '@vscode/l10n';
import { type SettingImportance, whatMattered, type WhatMattered } from '../../charts/whatMattered.ts';
import { settingWords } from '../../protocol/differingSettings.ts';
import { element } from '../components/element.ts';
import { setText } from '../components/setText.ts';
import type { Known } from './known.ts';
import { trialCount } from './trialTexts.ts';

export type MatteredSection = { element: HTMLElement; draw: (known: Known) => void };

/** Below so many trials, others may well give another order. */
const fewTrials = 50;
/** Milliseconds between two computations, which take up to half a second of many trials. */
const pace = 3000;

/** Which settings mattered for the result, as bars. */
export function matteredSection(): MatteredSection {
  const sentence = element('p', { class: 'hint' });
  const bars = element('ul', { class: 'bars' });
  const section = element('section', {}, [element('h2', {}, [l10n.t('What mattered')]), sentence, bars]);
  let latest: Known = { trials: [] };
  let shown = '';
  let computed = -Infinity;
  let waiting = false;
  const compute = (): void => {
    waiting = false;
    if (!latest.head) return;
    computed = performance.now();
    shown = keyOf(latest);
    const mattered = whatMattered(latest.trials, latest.head.dimensions);
    setText(sentence, sentenceOf(mattered));
    bars.replaceChildren(...(mattered.kind === 'found' ? mattered.settings.map((each) => bar(each, mattered)) : []));
  };
  return {
    element: section,
    draw: (known) => {
      latest = known;
      if (waiting || !known.head || keyOf(known) === shown) return;
      waiting = true;
      setTimeout(compute, Math.max(0, computed + pace - performance.now()));
    },
  };
}

/** Only what a trial scored after the first rung counts. */
function keyOf({ head, trials }: Known): string {
  return JSON.stringify([
    head?.dimensions,
    trials.map(({ trial, first }) => (first ? [trial, first.accuracy] : trial)),
  ]);
}

function sentenceOf(mattered: WhatMattered): string {
  const { trials, epochs = 0 } = mattered;
  if (mattered.kind === 'too few')
    return l10n.t('Shown from {0} with a result on; there are {1}.', trialCount(mattered.needed), trials);
  const of =
    epochs === 1
      ? l10n.t('{0} by their validation accuracy after 1 epoch', trialCount(trials))
      : l10n.t('{0} by their validation accuracy after {1} epochs', trialCount(trials), epochs);
  if (mattered.kind === 'unexplained')
    return l10n.t('Of {0}: the settings do not predict it better than the mean does, so none is known to matter.', of);
  const hint = trials < fewTrials ? ` ${l10n.t('So few trials give a hint, no more.')}` : '';
  const what = l10n.t(
    'Of {0}: how far R² of a random forest falls if the values of a setting are shuffled. Of trials that it did not see its R² is {1}.',
    of,
    mattered.explained.toFixed(2),
  );
  return `${what}${hint}`;
}

function bar({ setting, importance }: SettingImportance, { settings }: Extract<WhatMattered, { kind: 'found' }>) {
  const most = Math.max(...settings.map((each) => each.importance), 1e-9);
  const fill = element('span', { class: 'bar-fill' });
  fill.style.width = `${Math.max(0, Math.min(1, importance / most)) * 100}%`;
  return element('li', { class: 'bar' }, [
    element('span', { class: 'bar-name' }, [settingWords(setting)]),
    element('span', { class: 'bar-value' }, [importance.toFixed(3)]),
    element('span', { class: 'bar-track', 'aria-hidden': 'true' }, [fill]),
  ]);
}

import * as l10n from '@vscode/l10n';
import type { RunEstimate } from '../../protocol/dryRun.ts';
import { element } from '../components/element.ts';
import { bytes, count, duration } from '../../charts/format.ts';
import { setText } from '../components/setText.ts';
import type { Known } from './known.ts';

export type EstimateSection = { element: HTMLElement; draw: (known: Known) => void };

/** How long the run would take and how much memory. */
export function estimateSection(): EstimateSection {
  const figures = element('p', { class: 'figures', role: 'status' });
  const parts = element('ul');
  const hint = element('p', { class: 'hint' }, [
    l10n.t(
      'An estimate: a machine has other work too, an early stop comes earlier, and checkpoints take time to write.',
    ),
  ]);
  const section = element('section', {}, [element('h2', {}, [l10n.t('Time and memory')]), figures, parts, hint]);
  let drawn: RunEstimate | undefined;
  return {
    element: section,
    draw: ({ estimate: message }) => {
      const estimate = message?.estimate;
      section.hidden = estimate === undefined;
      if (estimate === undefined || estimate === drawn) return;
      drawn = estimate;
      setText(figures, totalsOf(estimate));
      parts.replaceChildren(...partsOf(estimate).map((text) => element('li', {}, [text])));
    },
  };
}

/** Of a graphics card's own memory nothing is measured. */
function totalsOf({ seconds, memoryBytes, device }: RunEstimate): string {
  const memory = bytes(memoryBytes);
  return device === 'cpu'
    ? l10n.t('About {0} and {1} of memory on {2}', duration(seconds), memory, device)
    : l10n.t('About {0} on {1}, and {2} of memory outside the graphics card', duration(seconds), device, memory);
}

function partsOf(estimate: RunEstimate): string[] {
  return [
    ...stepsOf(estimate),
    validationsOf(estimate),
    l10n.t('{0} until the first step', shortTime(estimate.setupSeconds)),
    l10n.t('Measured over {0} steps', count(estimate.measuredSteps)),
  ];
}

function stepsOf({ steps, firstSteps, firstStepSeconds, laterStepSeconds }: RunEstimate): string[] {
  const milliseconds = (seconds: number) => (1000 * seconds).toFixed(seconds < 0.1 ? 1 : 0);
  const [first, later] = [milliseconds(firstStepSeconds), milliseconds(laterStepSeconds)];
  const laterSteps = steps - firstSteps;
  const ofFirst = firstSteps === 1 ? l10n.t('1 step of {0} ms', first) : l10n.t('{0} steps of {1} ms', count(firstSteps), first); // prettier-ignore
  if (laterSteps === 0) return [ofFirst];
  const ofLater = laterSteps === 1 ? l10n.t('1 step of {0} ms, once its images are known', later) : l10n.t('{0} steps of {1} ms, once their images are known', count(laterSteps), later); // prettier-ignore
  return [ofFirst, ofLater];
}

function validationsOf({ validations, firstValidationSeconds, laterValidationSeconds }: RunEstimate): string {
  const first = shortTime(firstValidationSeconds);
  if (validations === 1) return l10n.t('1 validation in {0}', first);
  return l10n.t('{0} validations, the first in {1}, each of the others in {2}', count(validations), first, shortTime(laterValidationSeconds)); // prettier-ignore
}

/** Seconds with a digit more where they are few. */
function shortTime(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

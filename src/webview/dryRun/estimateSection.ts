import * as l10n from '@vscode/l10n';
import type { RunEstimate } from '../../protocol/dryRun.ts';
import { element } from '../components/element.ts';
import { count, duration } from '../../charts/format.ts';
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
function totalsOf(estimate: RunEstimate): string {
  const { seconds, device } = estimate;
  return device === 'cpu'
    ? l10n.t('About {0} and {1} GB of memory on {2}', duration(seconds), gigabytes(estimate), device)
    : l10n.t('About {0} on {1}, and {2} GB of memory outside the graphics card', duration(seconds), device, gigabytes(estimate)); // prettier-ignore
}

function gigabytes({ memoryBytes }: RunEstimate): string {
  return (memoryBytes / 1e9).toFixed(1);
}

function partsOf(estimate: RunEstimate): string[] {
  const { steps, firstSteps, firstStepSeconds, laterStepSeconds, validations, measuredSteps } = estimate;
  const milliseconds = (seconds: number) => (1000 * seconds).toFixed(seconds < 0.1 ? 1 : 0);
  const later = steps - firstSteps;
  return [
    l10n.t('{0} steps of {1} ms', count(firstSteps), milliseconds(firstStepSeconds)),
    ...(later > 0 ? [l10n.t('{0} steps of {1} ms, once their images are known', count(later), milliseconds(laterStepSeconds))] : []), // prettier-ignore
    l10n.t('{0} validations, the first in {1}, each of the others in {2}', count(validations), shortTime(estimate.firstValidationSeconds), shortTime(estimate.laterValidationSeconds)), // prettier-ignore
    l10n.t('{0} until the first step', shortTime(estimate.setupSeconds)),
    l10n.t('Measured over {0} steps', count(measuredSteps)),
  ];
}

/** Seconds with a digit more where they are few. */
function shortTime(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

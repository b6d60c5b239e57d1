import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { setText } from '../components/setText.ts';

const top = 0.999;

/** A slider from no smoothing to very much; equal ways on it feel equal, as the weight nears 1. */
export function smoothingSlider(weight: number, onChange: (weight: number) => void): HTMLElement {
  const output = element('output', {}, [weight.toFixed(3)]);
  const slider = element('input', {
    type: 'range',
    min: 0,
    max: 100,
    step: 1,
    value: positionOf(weight),
    'aria-label': l10n.t('Smoothing of the training loss'),
  });
  slider.addEventListener('input', () => {
    const chosen = weightOf(Number(slider.value));
    setText(output, chosen.toFixed(3));
    slider.setAttribute('aria-valuetext', chosen.toFixed(3));
    onChange(chosen);
  });
  return element('label', { class: 'labelled' }, [element('span', {}, [l10n.t('Smoothing')]), slider, output]);
}

/** 0 to 100 -> a weight from 0 to 0.999: every third of the way takes a power of ten off what is left to 1. */
function weightOf(position: number): number {
  return Math.min(top, 1 - 10 ** (-3 * (position / 100)));
}

function positionOf(weight: number): number {
  return Math.round((-Math.log10(1 - weight) / 3) * 100);
}

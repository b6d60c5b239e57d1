import * as l10n from '@vscode/l10n';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import type { Explanation } from '../../protocol/explanation.ts';
import type { ImagePrediction } from '../../protocol/prediction.ts';
import type { Precision } from '../../protocol/trainingConfig.ts';
import { classField } from '../components/classField.ts';
import { element } from '../components/element.ts';
import { percent } from '../../charts/format.ts';
import { setText } from '../components/setText.ts';
import { button, dropdown, labelled } from '../components/toolkit.ts';
import type { Look } from './knownLooks.ts';

export type LookedOptions = {
  /** All classes of what classifies, as far as they are known. */
  classes: () => readonly ClassLabel[];
  /** Another class, by its index, or nothing. */
  onLook: (index: number | undefined) => void;
  onCancel: () => void;
  onOpacity: (opacity: number) => void;
};

export type LookedSection = { element: HTMLElement; draw: (look: Look, opacity: number) => void };

const [off, another] = ['off', '…another'];

/** Asks where a class was seen, and says how that was found. */
export function lookedSection({ mean }: ImagePrediction, options: LookedOptions): LookedSection {
  let drawn: Look = { state: 'off' };
  const choice = dropdown(l10n.t('Where it looked'), (value) => {
    if (value === another) chooseAnother();
    else options.onLook(value === off ? undefined : Number(value));
  });
  const field = classField({
    label: l10n.t('Another class'),
    placeholder: l10n.t('Type a class'),
    canBeNew: false,
    onChoose: (folder) => options.onLook(options.classes().find((each) => each.folder === folder)?.index),
    onLeave: () => choice.element.focus(),
  });
  field.element.hidden = true;
  field.element.addEventListener('focusout', () => (field.element.hidden = true));
  const drawChoice = (): void => {
    const classes = offeredClasses(mean, options.classes(), indexOf(drawn));
    const offered = classes.map(({ index, name }) => ({ value: String(index), label: name }));
    const rest = options.classes().length > offered.length ? [{ value: another, label: l10n.t('Another class…') }] : [];
    choice.update([{ value: off, label: l10n.t('Off') }, ...offered, ...rest], String(indexOf(drawn) ?? off));
  };
  const chooseAnother = (): void => {
    drawChoice();
    field.update(options.classes());
    // After the click, which gives the focus to the list that its label belongs to.
    requestAnimationFrame(() => {
      field.element.hidden = false;
      field.begin('');
    });
  };
  const slider = element('input', { type: 'range', min: 0, max: 100, step: 5, 'aria-label': l10n.t('Opacity') });
  slider.addEventListener('input', () => options.onOpacity(Number(slider.value) / 100));
  const opacityChoice = element('label', { class: 'labelled' }, [element('span', {}, [l10n.t('Opacity')]), slider]);
  const cancel = button({ label: l10n.t('Cancel'), onClick: options.onCancel });
  const told = element('p', { class: 'hint', role: 'status' });
  return {
    element: element('div', { class: 'looked' }, [
      element('div', { class: 'toolbar' }, [
        labelled(l10n.t('Where it looked'), choice.element),
        opacityChoice,
        cancel,
      ]),
      field.element,
      told,
    ]),
    draw: (look, opacity) => {
      drawn = look;
      drawChoice();
      slider.value = String(Math.round(opacity * 100));
      opacityChoice.hidden = look.state !== 'seen';
      cancel.hidden = look.state !== 'busy';
      setText(told, tellingOf(look));
      told.hidden = look.state === 'off';
    },
  };
}

/** The likeliest classes, and the one that was chosen beside them. */
function offeredClasses(
  likely: readonly Pick<ClassLabel, 'index' | 'name'>[],
  all: readonly ClassLabel[],
  chosen: number | undefined,
): Pick<ClassLabel, 'index' | 'name'>[] {
  const other = likely.some(({ index }) => index === chosen) ? undefined : all.find(({ index }) => index === chosen);
  return other ? [...likely, other] : [...likely];
}

function indexOf(look: Look): number | undefined {
  if (look.state === 'off') return undefined;
  return look.state === 'seen' ? look.explanation.index : look.index;
}

function tellingOf(look: Look): string {
  switch (look.state) {
    case 'off':
      return '';
    case 'busy':
      return look.what;
    case 'failed':
      return look.reason;
    case 'seen':
      return [tellingOfSeen(look.explanation), tellingOfPrecision(look.precision)].join(' ').trim();
  }
}

function tellingOfPrecision(ofPredictions: Precision): string {
  if (ofPredictions === 'float32') return '';
  return l10n.t('Predictions are set to 8 bits (int8), but this is computed in float32, so probabilities can differ.');
}

function tellingOfSeen({ name, method, crops }: Explanation): string {
  if (crops.every(({ map }) => map.every((row) => row.every((value) => value === 0)))) {
    return l10n.t('Nothing in the image supports {0}.', name);
  }
  const probabilities = crops.map(({ probability }) => percent(probability, 0)).join(', ');
  switch (method) {
    case 'grad-cam':
      return l10n.t(
        'Bright areas are where {0} was seen, by Grad-CAM. Probability of each crop: {1}.',
        name,
        probabilities,
      );
    case 'attention':
      return l10n.t('Bright areas are where {0} was seen, by the attention of the network. Probability of each crop: {1}.', name, probabilities); // prettier-ignore
    case 'occlusion':
      return l10n.t('Bright areas are what {0} depends on, found by covering one place after another. Probability of each crop: {1}.', name, probabilities); // prettier-ignore
  }
}

// The only module that knows the toolkit, so that another one can take its place.
import './styleNonce.ts';
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import { customElement, type Child } from './element.ts';

provideVSCodeDesignSystem().register(
  vsCodeButton(),
  vsCodeCheckbox(),
  vsCodeDropdown(),
  vsCodeOption(),
  vsCodeProgressRing(),
  vsCodeTextField(),
);

export type ButtonOptions = {
  label: string;
  /** What it does, where the label alone does not say. */
  title?: string;
  /** What a screen reader says, if the label is a sign. */
  spoken?: string;
  primary?: boolean;
  onClick: () => void;
};

export function button({ label, title, spoken, primary, onClick }: ButtonOptions): HTMLElement {
  return customElement(
    'vscode-button',
    { appearance: primary === true ? 'primary' : 'secondary', title, 'aria-label': spoken, onclick: onClick },
    [label],
  );
}

/** Greys a control out, or back. */
export function setDisabled(control: HTMLElement, disabled: boolean): void {
  control.toggleAttribute('disabled', disabled);
}

export type CheckboxOptions = {
  label: string;
  title?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
};

export function checkbox({ label, title, checked, onChange }: CheckboxOptions): HTMLElement {
  const box = customElement('vscode-checkbox', { title, checked }, [label]);
  box.addEventListener('change', () => onChange((box as HTMLElement & { checked: boolean }).checked));
  return box;
}

export type Choice = { value: string; label: string };
export type Dropdown = { element: HTMLElement; update: (choices: readonly Choice[], value: string) => void };

/** A list of which one is chosen. `update` is silent; `onChange` reports the user's choices only. */
export function dropdown(label: string, onChange: (value: string) => void): Dropdown {
  const list = customElement('vscode-dropdown', { 'aria-label': label, title: label });
  let shown = '';
  list.addEventListener('change', () => {
    const { value } = list as HTMLElement & { value: string };
    if (value === shown || value === '') return;
    shown = value;
    onChange(value);
  });
  return {
    element: list,
    update: (choices, value) => {
      const next = JSON.stringify([choices, value]);
      if (list.dataset['choices'] === next && shown === value) return;
      list.dataset['choices'] = next;
      shown = value;
      list.replaceChildren(
        ...choices.map((choice) =>
          customElement('vscode-option', { value: choice.value, selected: choice.value === value }, [choice.label]),
        ),
      );
      (list as HTMLElement & { value: string }).value = value;
    },
  };
}

export type TextFieldOptions = {
  label: string;
  placeholder: string;
  value: string;
  onInput: (value: string) => void;
};

/** The pages turn the editor's own Cut, Copy and Paste off; text fields need them. */
const textMenu = { 'data-vscode-context': JSON.stringify({ preventDefaultContextMenuItems: false }) };

export function textField({ label, placeholder, value, onInput }: TextFieldOptions): HTMLElement {
  // The toolkit names a field for screen readers by its text, which the style does not show: the placeholder does.
  const field = customElement('vscode-text-field', { placeholder, value, ...textMenu }, [label]);
  field.addEventListener('input', () => onInput((field as HTMLElement & { value: string }).value));
  return field;
}

export function progressRing(): HTMLElement {
  return customElement('vscode-progress-ring', { 'aria-hidden': 'true' });
}

/** A control with its label to the left. */
export function labelled(label: string, control: Child): HTMLElement {
  return customElement('label', { class: 'labelled' }, [customElement('span', {}, [label]), control]);
}

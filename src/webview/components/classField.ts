import './classField.css';
import * as l10n from '@vscode/l10n';
import { element } from './element.ts';
import { matchingClasses } from './matchingClasses.ts';

/** Classes that are offered where a new one may be typed, and where one is chosen from all of them. */
const [shownMatches, shownClasses] = [8, 1000];

export type ClassFieldOptions = {
  label: string;
  placeholder: string;
  /** Whether a class may be typed that is none yet; all classes are offered where it may not, before something is typed. */
  canBeNew: boolean;
  onChoose: (folder: string) => void;
  /** The field is left, with a choice or without. */
  onLeave: () => void;
};

export type ClassField = {
  element: HTMLElement;
  /** Begins with a letter that was typed elsewhere, or with none. */
  begin: (letter: string) => void;
  update: (classes: readonly { folder: string; name: string }[]) => void;
};

/** A field in which a class is typed: Enter takes the first match or the one that the arrows chose; Escape leaves. */
export function classField({ label, placeholder, canBeNew, onChoose, onLeave }: ClassFieldOptions): ClassField {
  let classes: readonly { folder: string; name: string }[] = [];
  let active = 0;
  let isOpen = false;
  const input = comboBox(label, placeholder);
  const matches = element('ul', { id: 'matches', role: 'listbox', 'aria-label': l10n.t('Matching classes') });
  matches.hidden = true;
  // The field keeps the focus while one of them is clicked.
  matches.addEventListener('mousedown', (event) => event.preventDefault());

  /** What Enter may choose; a folder that is no class yet is last. */
  const offered = (): { folder: string; text: string }[] => {
    const typed = input.value.trim();
    if (!isOpen || (canBeNew && typed === '')) return [];
    const most = canBeNew ? shownMatches : shownClasses;
    const known = matchingClasses(classes, typed).slice(0, most).map(({ folder, name }) => ({ folder, text: name === folder ? name : `${name} (${folder})` })); // prettier-ignore
    const isKnown = classes.some(({ folder, name }) => folder === typed || name === typed);
    return isKnown || !canBeNew ? known : [...known, { folder: typed, text: l10n.t('New class “{0}”', typed) }];
  };
  const draw = (): void => {
    const all = offered();
    active = Math.min(active, Math.max(0, all.length - 1));
    matches.hidden = all.length === 0;
    input.setAttribute('aria-expanded', String(all.length > 0));
    if (all.length > 0) input.setAttribute('aria-activedescendant', `match-${active}`);
    else input.removeAttribute('aria-activedescendant');
    matches.replaceChildren(
      ...all.map(({ folder, text }, at) =>
        element(
          'li',
          { id: `match-${at}`, role: 'option', 'aria-selected': String(at === active), onclick: () => choose(folder) },
          [text],
        ),
      ),
    );
    matches.children[active]?.scrollIntoView({ block: 'nearest' });
  };
  const show = (open: boolean, value: string): void => {
    isOpen = open;
    input.value = value;
    active = 0;
    draw();
  };
  const choose = (folder: string): void => {
    show(false, '');
    onChoose(folder);
    onLeave();
  };
  input.addEventListener('input', () => show(true, input.value));
  input.addEventListener('keydown', (event) => {
    const all = offered();
    if (event.isComposing) return;
    const chosen = all[active];
    if (event.key === 'Enter' && chosen) choose(chosen.folder);
    else if (event.key === 'Escape' || (event.key === 'Backspace' && input.value === '')) {
      show(false, '');
      onLeave();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      active = Math.max(0, Math.min(all.length - 1, active + (event.key === 'ArrowDown' ? 1 : -1)));
      draw();
    } else return;
    event.preventDefault();
  });
  return {
    element: element('div', { class: 'class-field' }, [input, matches]),
    begin: (letter) => {
      show(true, letter);
      input.focus();
    },
    update: (next) => {
      classes = next;
    },
  };
}

function comboBox(label: string, placeholder: string): HTMLInputElement {
  return element('input', {
    type: 'text',
    role: 'combobox',
    'aria-label': label,
    'aria-autocomplete': 'list',
    'aria-controls': 'matches',
    'aria-expanded': false,
    placeholder,
    autocomplete: 'off',
    spellcheck: 'false',
  });
}

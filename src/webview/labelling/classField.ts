import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { matchingClasses } from './matchingClasses.ts';

/** Classes that are offered for what was typed. */
const shownMatches = 8;

export type ClassField = {
  element: HTMLElement;
  /** Begins with a letter that was typed elsewhere, or with none. */
  begin: (letter: string) => void;
  update: (classes: readonly { folder: string; name: string }[]) => void;
};

/**
 * A field in which a class is typed: Enter takes the first match or the one that the arrows chose, or makes a new class;
 * Escape leaves.
 */
export function classField(onChoose: (folder: string) => void, onLeave: () => void): ClassField {
  let classes: readonly { folder: string; name: string }[] = [];
  let active = 0;
  const input = comboBox();
  const matches = element('ul', { id: 'matches', role: 'listbox', 'aria-label': l10n.t('Matching classes') });
  matches.hidden = true;

  /** What Enter may choose; a folder that is no class yet is last. */
  const offered = (): { folder: string; text: string }[] => {
    const typed = input.value.trim();
    if (typed === '') return [];
    const known = matchingClasses(classes, typed).slice(0, shownMatches).map(({ folder, name }) => ({ folder, text: name === folder ? name : `${name} (${folder})` })); // prettier-ignore
    const isKnown = classes.some(({ folder, name }) => folder === typed || name === typed);
    return isKnown ? known : [...known, { folder: typed, text: l10n.t('New class “{0}”', typed) }];
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
  };
  const clear = (): void => {
    input.value = '';
    active = 0;
    draw();
  };
  const choose = (folder: string): void => {
    clear();
    onChoose(folder);
    onLeave();
  };
  input.addEventListener('input', () => {
    active = 0;
    draw();
  });
  input.addEventListener('keydown', (event) => {
    const all = offered();
    if (event.isComposing) return;
    const chosen = all[active];
    if (event.key === 'Enter' && chosen) choose(chosen.folder);
    else if (event.key === 'Escape' || (event.key === 'Backspace' && input.value === '')) {
      clear();
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
      input.value = letter;
      active = 0;
      draw();
      input.focus();
    },
    update: (next) => {
      classes = next;
    },
  };
}

function comboBox(): HTMLInputElement {
  return element('input', {
    type: 'text',
    role: 'combobox',
    'aria-label': l10n.t('Class'),
    'aria-autocomplete': 'list',
    'aria-controls': 'matches',
    'aria-expanded': false,
    placeholder: l10n.t('Type a class, also a new one'),
    autocomplete: 'off',
    spellcheck: 'false',
  });
}

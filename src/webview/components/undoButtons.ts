import * as l10n from '@vscode/l10n';
import type { EditedData, EditedFigures } from './editedData.ts';
import { editText } from './editText.ts';
import { button, setDisabled } from './toolkit.ts';

export type UndoButtons = { elements: readonly HTMLElement[]; draw: () => void };

/** *Undo* and *Redo*, whose titles say of what. */
export function undoButtons(data: Pick<EditedData<EditedFigures>, 'figures' | 'name' | 'undo' | 'redo'>): UndoButtons {
  const undo = button({ label: l10n.t('Undo'), onClick: data.undo });
  const redo = button({ label: l10n.t('Redo'), onClick: data.redo });
  return {
    elements: [undo, redo],
    draw: () => {
      for (const [control, edit] of [
        [undo, data.figures?.undo],
        [redo, data.figures?.redo],
      ] as const) {
        setDisabled(control, edit === undefined);
        control.title = edit ? editText(edit, data.name) : '';
      }
    },
  };
}

import type { DataEdit } from '../../protocol/dataEdits.ts';
import type { EditingPanelToHost } from '../../protocol/editingPanel.ts';
import type { ClassName } from './editText.ts';

/** What the figures of every page say that edits data. */
export type EditedFigures = {
  classes: readonly { folder: string; name: string }[];
  undo?: DataEdit | undefined;
  redo?: DataEdit | undefined;
};

/** Data that a page edits: what is known of it, and what was asked for. */
export type EditedData<Figures> = {
  readonly figures: Figures | undefined;
  readonly name: ClassName;
  /** Takes new figures, or with none the word that something was done or failed; `isAnswer` as the message says it. */
  told: (figures: Figures | undefined, isAnswer: boolean) => void;
  /** Whether nothing was asked for with an image whose answer is still to come. */
  isOpen: (image: string) => boolean;
  /** Asks for an edit of an image. */
  edit: (image: string, edit: DataEdit) => void;
  /** What was asked for ahead of these may be taken back before its answer has come. */
  undo: () => void;
  redo: () => void;
};

export function editedData<Figures extends EditedFigures>(
  send: (message: Extract<EditingPanelToHost, { type: 'edit' | 'undo' | 'redo' }>) => void,
): EditedData<Figures> {
  let figures: Figures | undefined;
  let names = new Map<string, string>();
  /** Images that something was asked for, until all answers have come. */
  const handled = new Set<string>();
  let unanswered = 0;
  const ask = (message: Parameters<typeof send>[0]): void => {
    unanswered++;
    send(message);
  };
  return {
    get figures() {
      return figures;
    },
    name: (folder) => names.get(folder) ?? folder,
    told: (next, isAnswer) => {
      if (isAnswer) unanswered = Math.max(0, unanswered - 1);
      if (unanswered === 0) handled.clear();
      if (!next) return;
      figures = next;
      names = new Map(next.classes.map(({ folder, name }) => [folder, name]));
    },
    isOpen: (image) => !handled.has(image),
    edit: (image, edit) => {
      handled.add(image);
      ask({ type: 'edit', edit });
    },
    undo: () => {
      if (figures?.undo || unanswered > 0) ask({ type: 'undo' });
    },
    redo: () => {
      if (figures?.redo || unanswered > 0) ask({ type: 'redo' });
    },
  };
}

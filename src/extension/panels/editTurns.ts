import type { CleaningAction } from '../../protocol/cleaning.ts';

/** What was asked for, in its place among what waits with it. */
export interface AskedTurn {
  /** Whether the edit that it is about is where its user saw it. An edit that failed can neither be undone nor redone. */
  readonly isDue: () => boolean;
  /** Says that it was done. */
  readonly made: () => void;
}

/** Which edits *Undo* and *Redo* are about that are asked for before the answers to others have come. */
export interface EditTurns {
  readonly ask: (kind: CleaningAction['kind']) => AskedTurn;
  /** Nothing waits any more: what the journal says is what the user sees. */
  readonly settle: () => void;
}

type Asked = { state: 'failed' | 'done' | 'undone' };

/** Without them, *Undo* behind an edit that fails would take back the edit before it, which its user never meant. */
export function createEditTurns(): EditTurns {
  let done: Asked[] = [];
  let undone: Asked[] = [];
  /** What was undone before; behind an edit it cannot be redone. */
  let older: Asked['state'] = 'undone';
  return {
    ask: (kind) => {
      switch (kind) {
        case 'look':
          return { isDue: () => true, made: () => undefined };
        case 'edit': {
          const edit: Asked = { state: 'failed' };
          done.push(edit);
          undone = [];
          older = 'failed';
          return { isDue: () => true, made: () => (edit.state = 'done') };
        }
        case 'undo': {
          const edit = done.pop() ?? { state: 'done' };
          undone.push(edit);
          return { isDue: () => edit.state === 'done', made: () => (edit.state = 'undone') };
        }
        case 'redo': {
          const edit = undone.pop() ?? { state: older };
          done.push(edit);
          return { isDue: () => edit.state === 'undone', made: () => (edit.state = 'done') };
        }
      }
    },
    settle: () => {
      [done, undone, older] = [[], [], 'undone'];
    },
  };
}

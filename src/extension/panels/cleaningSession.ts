import type { Cleaning, CleaningAction } from '../../protocol/cleaning.ts';
import type { CleaningPanelToPage } from '../../protocol/cleaningPanel.ts';
import type { ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import { createEditingSession, type EditingSession } from './editingSession.ts';

/** Does something with the data and tells how it is then; rejects as `Service.request` does. */
export type Clean = (
  action: CleaningAction,
  call: { readonly signal: AbortSignal; readonly onAnswer: (answer: ServiceAnswerBody) => void },
) => Promise<void>;

/** The cleaning of one data folder. */
export type CleaningSession = EditingSession<Cleaning>;

/** Does one action after the other and tells `post` of progress and figures. */
export function createCleaningSession(clean: Clean, post: (message: CleaningPanelToPage) => void): CleaningSession {
  return createEditingSession<Cleaning>(
    (action, { signal, onAnswer, onFigures }) =>
      clean(action, {
        signal,
        onAnswer: (answer) => {
          if (answer.type === 'cleaning') onFigures(answer.cleaning);
          else onAnswer(answer);
        },
      }),
    {
      progress: post,
      figures: (cleaning, isAnswer) => {
        if (cleaning) post({ type: 'cleaning', cleaning, isAnswer });
      },
      error: (message, isAnswer) => post({ type: 'error', message, isAnswer }),
    },
  );
}

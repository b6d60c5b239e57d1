import * as l10n from '@vscode/l10n';
import type { Cleaning, CleaningAction } from '../../protocol/cleaning.ts';
import type { CleaningPanelToPage } from '../../protocol/cleaningPanel.ts';
import { CancelledError, messageOf } from '../../protocol/errors.ts';
import type { ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';

/** Does something with the data and tells how it is then; rejects as `Service.request` does. */
export type Clean = (
  action: CleaningAction,
  call: { readonly signal: AbortSignal; readonly onAnswer: (answer: ServiceAnswerBody) => void },
) => Promise<void>;

/** Who wants an action: the page by a message that is answered, the user in another way, or nobody, as the folder changed. */
export type Asker = 'page' | 'user' | 'watcher';

/** The cleaning of one data folder. */
export interface CleaningSession {
  /** What is known of the data. */
  readonly cleaning: Cleaning | undefined;
  /** Each action is followed by `cleaning` or `error`, in their order. Why an edit failed stays where the watcher looks. */
  act(action: CleaningAction, asker: Asker): Promise<void>;
  /** Ends what is going on; what was asked for after it is not begun. */
  cancel(): void;
  /** Says everything to a page that begins anew. */
  replay(): void;
  dispose(): void;
}

const idle = { type: 'progress', busy: false, what: '', done: 0, total: 0 } as const;

/** Does one action after the other and tells `post` of progress and figures. */
export function createCleaningSession(clean: Clean, post: (message: CleaningPanelToPage) => void): CleaningSession {
  let cleaning: Cleaning | undefined;
  let progress: Extract<CleaningPanelToPage, { type: 'progress' }> = idle;
  let problem: { readonly message: string; readonly isOfEdit: boolean } | undefined;
  let running = new AbortController();
  let waiting = 0;
  let before: Promise<void> = Promise.resolve();

  const report = (now: typeof progress) => {
    progress = now;
    post(now);
  };
  const tellProblem = (isAnswer: boolean) => {
    if (problem) post({ type: 'error', message: problem.message, isAnswer });
  };
  async function run(action: CleaningAction, asker: Asker, { signal }: AbortController): Promise<void> {
    const isAnswer = asker === 'page';
    const known = cleaning;
    try {
      await clean(action, {
        signal,
        onAnswer: (answer) => {
          if (answer.type === 'progress') report({ type: 'progress', busy: true, what: answer.what, done: answer.done, total: answer.total ?? 0 }); // prettier-ignore
          if (answer.type !== 'cleaning') return;
          if (asker !== 'watcher' || problem?.isOfEdit === false) problem = undefined;
          cleaning = answer.cleaning;
          post({ type: 'cleaning', cleaning, isAnswer });
          tellProblem(false);
        },
      });
    } catch (error) {
      const isCancelled = error instanceof CancelledError;
      // What was cancelled after it was done is done.
      if (isCancelled && cleaning !== known) return;
      problem = {
        message: isCancelled ? l10n.t('It was cancelled.') : messageOf(error),
        isOfEdit: action.kind !== 'look',
      };
      tellProblem(isAnswer);
    }
  }

  return {
    get cleaning() {
      return cleaning;
    },
    act: (action, asker) => {
      const controller = running;
      if (waiting++ === 0) report({ ...idle, busy: true, what: l10n.t('Reading the data') });
      before = before
        .then(() => run(action, asker, controller))
        .finally(() => {
          if (--waiting === 0) report(idle);
        });
      return before;
    },
    cancel: () => {
      running.abort();
      running = new AbortController();
    },
    replay: () => {
      if (cleaning) post({ type: 'cleaning', cleaning, isAnswer: false });
      post(progress);
      tellProblem(false);
    },
    dispose: () => running.abort(),
  };
}

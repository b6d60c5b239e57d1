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

/** The cleaning of one data folder. */
export interface CleaningSession {
  /** What is known of the data. */
  readonly cleaning: Cleaning | undefined;
  /** Each action is answered by one `cleaning` or one `error`, in their order. */
  act(action: CleaningAction): Promise<void>;
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
  let problem: string | undefined;
  let running = new AbortController();
  let waiting = 0;
  let before: Promise<void> = Promise.resolve();

  const report = (now: typeof progress) => {
    progress = now;
    post(now);
  };
  async function run(action: CleaningAction, { signal }: AbortController): Promise<void> {
    try {
      await clean(action, {
        signal,
        onAnswer: (answer) => {
          if (answer.type === 'progress') report({ type: 'progress', busy: true, what: answer.what, done: answer.done, total: answer.total ?? 0 }); // prettier-ignore
          if (answer.type !== 'cleaning') return;
          problem = undefined;
          cleaning = answer.cleaning;
          post({ type: 'cleaning', cleaning });
        },
      });
    } catch (error) {
      problem = error instanceof CancelledError ? l10n.t('It was cancelled.') : messageOf(error);
      post({ type: 'error', message: problem });
    }
  }

  return {
    get cleaning() {
      return cleaning;
    },
    act: (action) => {
      const controller = running;
      if (waiting++ === 0) report({ ...idle, busy: true, what: l10n.t('Looking at the data') });
      before = before
        .then(() => run(action, controller))
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
      if (cleaning) post({ type: 'cleaning', cleaning });
      post(progress);
      if (problem !== undefined) post({ type: 'error', message: problem });
    },
    dispose: () => running.abort(),
  };
}

import * as l10n from '@vscode/l10n';
import type { CleaningAction } from '../../protocol/cleaning.ts';
import type { EditingPanelToPage } from '../../protocol/editingPanel.ts';
import { CancelledError, messageOf } from '../../protocol/errors.ts';
import type { FeatureProgress } from '../../protocol/featurePanel.ts';
import type { ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';

/** How a work is called that edits data and tells the figures afterwards. */
export interface EditingCall<Figures> {
  readonly signal: AbortSignal;
  readonly onAnswer: (answer: ServiceAnswerBody) => void;
  readonly onFigures: (figures: Figures) => void;
  /** Whether more actions wait, after which the figures are told anyway. */
  readonly moreWait: boolean;
}

/** Who wants an action: the page by a message that is answered, the user in another way, or nobody, as the folder changed. */
export type Asker = 'page' | 'user' | 'watcher';

/** The work on one data folder. */
export interface EditingSession<Figures> {
  /** What is known of the data. */
  readonly figures: Figures | undefined;
  /** Each action is followed by figures or an error, in their order. Why an edit failed stays where the watcher looks. */
  act(action: CleaningAction, asker: Asker): Promise<void>;
  /** Ends what is going on; what was asked for after it is not begun. */
  cancel(): void;
  /** Ends looks, as where their page is closed; edits that were asked for are still made. */
  stopLooking(): void;
  /** Says everything to a page that begins anew. */
  replay(): void;
}

const idle = { type: 'progress', busy: false, what: '', done: 0, total: 0 } as const;

/** Does one action after the other and posts progress and figures; `work` rejects as `Service.request` does. */
export function createEditingSession<Figures>(
  work: (action: CleaningAction, call: EditingCall<Figures>) => Promise<void>,
  post: (message: EditingPanelToPage<Figures>) => void,
): EditingSession<Figures> {
  let figures: Figures | undefined;
  let progress: FeatureProgress = idle;
  let problem: { readonly message: string; readonly isOfEdit: boolean } | undefined;
  let [looking, editing] = [new AbortController(), new AbortController()];
  let waiting = 0;
  /** Whether something was done of which no figures have been told. */
  let isBehind = false;
  let before: Promise<void> = Promise.resolve();

  const report = (now: FeatureProgress) => {
    progress = now;
    post(now);
  };
  const postProblem = (isAnswer: boolean) => {
    if (problem) post({ type: 'error', message: problem.message, isAnswer });
  };
  async function run(action: CleaningAction, asker: Asker, { signal }: AbortController): Promise<void> {
    const isAnswer = asker === 'page';
    const known = figures;
    const moreWait = waiting > 1;
    try {
      await work(action, {
        signal,
        moreWait,
        onAnswer: (answer) => {
          if (answer.type === 'progress') report({ type: 'progress', busy: true, what: answer.what, done: answer.done, total: answer.total ?? 0 }); // prettier-ignore
        },
        onFigures: (told) => {
          if (asker !== 'watcher' || problem?.isOfEdit === false) problem = undefined;
          figures = told;
          isBehind = false;
          post({ type: 'figures', figures, isAnswer });
          postProblem(false);
        },
      });
      if (figures !== known) return;
      isBehind = true;
      post({ type: 'figures', isAnswer });
    } catch (error) {
      const isCancelled = error instanceof CancelledError;
      // What was cancelled after it was done is done.
      if (isCancelled && figures !== known) return;
      problem = {
        message: isCancelled ? l10n.t('It was cancelled.') : messageOf(error),
        isOfEdit: action.kind !== 'look',
      };
      postProblem(isAnswer);
      if (isBehind && !moreWait && action.kind !== 'look')
        await run({ kind: 'look' }, 'watcher', new AbortController());
    }
  }

  return {
    get figures() {
      return figures;
    },
    act: (action, asker) => {
      const controller = action.kind === 'look' ? looking : editing;
      if (waiting++ === 0) report({ ...idle, busy: true, what: l10n.t('Reading the data') });
      before = before
        .then(() => run(action, asker, controller))
        .finally(() => {
          if (--waiting === 0) report(idle);
        });
      return before;
    },
    cancel: () => {
      [looking, editing] = [renewed(looking), renewed(editing)];
    },
    stopLooking: () => {
      looking = renewed(looking);
    },
    replay: () => {
      if (figures) post({ type: 'figures', figures, isAnswer: false });
      post(progress);
      postProblem(false);
    },
  };
}

function renewed(ended: AbortController): AbortController {
  ended.abort();
  return new AbortController();
}

import * as l10n from '@vscode/l10n';
import type { CleaningAction } from '../../protocol/cleaning.ts';
import type { EditingPanelToPage } from '../../protocol/editingPanel.ts';
import { CancelledError, messageOf } from '../../protocol/errors.ts';
import type { FeatureProgress } from '../../protocol/featurePanel.ts';
import type { ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import { type AskedTurn, createEditTurns } from './editTurns.ts';

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
  /**
   * Each action is followed by figures or an error, in their order. Why an edit failed stays where the watcher looks. An
   * undo or redo of what failed, which was asked for before that was known, does nothing.
   */
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
  const told = createTold<Figures>(post);
  const turns = createEditTurns();
  let [looking, editing] = [new AbortController(), new AbortController()];
  let waiting = 0;
  /** Whether something was done of which no figures have been told. */
  let isBehind = false;
  let before: Promise<void> = Promise.resolve();

  async function run(
    action: CleaningAction,
    asker: Asker,
    { signal }: AbortController,
    turn: AskedTurn,
  ): Promise<void> {
    const isAnswer = asker === 'page';
    const known = told.figures;
    const moreWait = waiting > 1;
    if (!turn.isDue()) {
      told.done(isAnswer);
      if (!moreWait) await catchUp();
      return;
    }
    try {
      await work(action, {
        signal,
        moreWait,
        onAnswer: (answer) => {
          if (answer.type === 'progress') told.report({ type: 'progress', busy: true, what: answer.what, done: answer.done, total: answer.total ?? 0 }); // prettier-ignore
        },
        onFigures: (figures) => {
          isBehind = false;
          told.show(figures, asker);
        },
      });
      turn.made();
      if (told.figures !== known) return;
      isBehind = true;
      post({ type: 'figures', isAnswer });
    } catch (error) {
      // What was cancelled after it was done is done.
      if (error instanceof CancelledError && told.figures !== known) turn.made();
      else {
        told.fail(error, action, isAnswer);
        if (!moreWait && action.kind !== 'look') await catchUp();
      }
    }
  }
  const catchUp = async () => {
    if (isBehind) await run({ kind: 'look' }, 'watcher', new AbortController(), turns.ask('look'));
  };

  return {
    get figures() {
      return told.figures;
    },
    act: (action, asker) => {
      const controller = action.kind === 'look' ? looking : editing;
      const turn = turns.ask(action.kind);
      if (waiting++ === 0) told.report({ ...idle, busy: true, what: l10n.t('Reading the data') });
      before = before
        .then(() => run(action, asker, controller, turn))
        .finally(() => {
          if (--waiting > 0) return;
          turns.settle();
          told.report(idle);
        });
      return before;
    },
    cancel: () => {
      [looking, editing] = [renewed(looking), renewed(editing)];
    },
    stopLooking: () => {
      looking = renewed(looking);
    },
    replay: told.replay,
  };
}

/** What the page was told, which one that begins anew is told again. */
function createTold<Figures>(post: (message: EditingPanelToPage<Figures>) => void) {
  let figures: Figures | undefined;
  let progress: FeatureProgress = idle;
  let problem: { readonly message: string; readonly isOfEdit: boolean } | undefined;
  const remind = (isAnswer: boolean) => {
    if (problem) post({ type: 'error', message: problem.message, isAnswer });
  };
  return {
    get figures() {
      return figures;
    },
    report: (now: FeatureProgress) => {
      progress = now;
      post(now);
    },
    /** Nothing is to be shown that is not shown yet. */
    done: (isAnswer: boolean) => {
      post({ type: 'figures', isAnswer });
      remind(false);
    },
    show: (next: Figures, asker: Asker) => {
      if (asker !== 'watcher' || problem?.isOfEdit === false) problem = undefined;
      figures = next;
      post({ type: 'figures', figures, isAnswer: asker === 'page' });
      remind(false);
    },
    fail: (error: unknown, { kind }: CleaningAction, isAnswer: boolean) => {
      const message = error instanceof CancelledError ? l10n.t('It was cancelled.') : messageOf(error);
      problem = { message, isOfEdit: kind !== 'look' };
      remind(isAnswer);
    },
    replay: () => {
      if (figures) post({ type: 'figures', figures, isAnswer: false });
      post(progress);
      remind(false);
    },
  };
}

function renewed(ended: AbortController): AbortController {
  ended.abort();
  return new AbortController();
}

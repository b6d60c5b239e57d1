import * as l10n from '@vscode/l10n';
import { CancelledError, messageOf } from '../../protocol/errors.ts';
import type { ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';

/** What a page is told of work: how far it is, and why it failed. */
export type WorkMessage =
  | {
      readonly type: 'progress';
      readonly busy: boolean;
      readonly what: string;
      readonly done: number;
      readonly total: number;
    }
  | { readonly type: 'error'; readonly message: string };

type ProgressAnswer = Pick<Extract<ServiceAnswerBody, { type: 'progress' }>, 'what' | 'done' | 'total'>;

/** One piece of work, as it sees itself. */
export interface Work {
  readonly signal: AbortSignal;
  /** Whether nothing began since: what outdated work still answers belongs nowhere. */
  readonly isLatest: () => boolean;
  /** Tells the page how far it is, unless it is cancelled. */
  readonly report: (progress: ProgressAnswer) => void;
}

/** Work for a page, one piece at a time. */
export interface ShownWork {
  readonly isRunning: boolean;
  /** Cancels what runs and begins this; a failure is told to the page. Resolves to whether it was still the latest when it ended. */
  readonly start: (work: (own: Work) => Promise<void>) => Promise<boolean>;
  readonly cancel: () => void;
  readonly forgetFailure: () => void;
  /** Says progress and failure to a page that begins anew. */
  readonly replay: () => void;
  readonly dispose: () => void;
}

const idle = { type: 'progress', busy: false, what: '', done: 0, total: 0 } as const;

export function createShownWork(post: (message: WorkMessage) => void): ShownWork {
  let progress: WorkMessage = idle;
  let failure: string | undefined;
  let running: AbortController | undefined;

  const tell = (now: WorkMessage): void => {
    progress = now;
    post(now);
  };
  const fail = (error: unknown): void => {
    failure = messageOf(error);
    post({ type: 'error', message: failure });
  };
  return {
    get isRunning() {
      return running !== undefined;
    },
    start: async (work) => {
      running?.abort();
      const controller = new AbortController();
      const { signal } = controller;
      const isLatest = (): boolean => running === controller;
      const report = ({ what, done, total = 0 }: ProgressAnswer): void => {
        if (isLatest() && !signal.aborted) tell({ type: 'progress', busy: true, what, done, total });
      };
      running = controller;
      failure = undefined;
      report({ what: l10n.t('Starting'), done: 0 });
      try {
        await work({ signal, isLatest, report });
      } catch (error) {
        if (isLatest() && !(error instanceof CancelledError)) fail(error);
      }
      if (!isLatest()) return false;
      running = undefined;
      tell(idle);
      return true;
    },
    cancel: () => running?.abort(),
    forgetFailure: () => {
      failure = undefined;
    },
    replay: () => {
      post(progress);
      if (failure !== undefined) post({ type: 'error', message: failure });
    },
    dispose: () => {
      running?.abort();
      running = undefined;
    },
  };
}

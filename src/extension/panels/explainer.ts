import { CancelledError, messageOf } from '../../protocol/errors.ts';
import type { PredictionPanelToPage } from '../../protocol/predictionPanel.ts';
import type { ClassifierSource, CropCount, ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import type { Precision } from '../../protocol/trainingConfig.ts';

export interface ExplanationRequest {
  readonly image: string;
  /** Index of the class. */
  readonly index: number;
  readonly source: ClassifierSource;
  readonly crops: CropCount;
  /** What predictions are set to. */
  readonly precision: Precision;
  readonly signal: AbortSignal;
  readonly onAnswer: (answer: ServiceAnswerBody) => void;
}

/** Says where classes were seen in images, one at a time. */
export interface Explainer {
  /** Begins, and cancels what was asked for before. */
  readonly explain: (wish: Omit<ExplanationRequest, 'signal' | 'onAnswer'>) => Promise<void>;
  readonly cancel: () => void;
}

/** `request` rejects as `Service.request` does; the page is told of progress, of what was found, and of failures. */
export function createExplainer(
  request: (request: ExplanationRequest) => Promise<void>,
  post: (message: PredictionPanelToPage) => void,
): Explainer {
  let running: AbortController | undefined;
  return {
    explain: async (wish) => {
      running?.abort();
      const controller = new AbortController();
      running = controller;
      const { image, index, precision } = wish;
      const isLatest = () => running === controller && !controller.signal.aborted;
      try {
        await request({
          ...wish,
          signal: controller.signal,
          onAnswer: (answer) => {
            if (!isLatest()) return;
            if (answer.type === 'explanation') post({ ...answer, precision });
            if (answer.type !== 'progress') return;
            const { what, done, total } = answer;
            post({ type: 'explaining', image, index, what, done, ...(total === undefined ? {} : { total }) });
          },
        });
      } catch (error) {
        if (isLatest() && !(error instanceof CancelledError)) {
          post({ type: 'unexplained', image, index, reason: messageOf(error) });
        }
      }
    },
    cancel: () => running?.abort(),
  };
}

import type { DryRunRequest, RateFound, RatePoint, RunEstimate } from '../../protocol/dryRun.ts';
import type { DryRunPanelToPage } from '../../protocol/dryRunPanel.ts';
import type { Samples } from '../../protocol/samples.ts';
import type { ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import type { DryRunCall } from '../trainer/startDryRun.ts';
import { createShownWork } from './shownWork.ts';

/** Who finds things out. */
export interface DryRunSource {
  readonly dryRun: (request: DryRunRequest, call: DryRunCall) => Promise<void>;
  readonly samples: (
    place: { readonly epoch: number; readonly batch: number },
    call: { readonly signal: AbortSignal; readonly onAnswer: (answer: ServiceAnswerBody) => void },
  ) => Promise<Samples>;
}

/** What is found out of one training before it begins. */
export interface DryRunSession {
  readonly rate: (request: Extract<DryRunRequest, { what: 'rate' }>) => Promise<void>;
  readonly estimate: (request: Extract<DryRunRequest, { what: 'estimate' }>) => Promise<void>;
  readonly samples: (place: { readonly epoch: number; readonly batch: number }) => Promise<void>;
  readonly cancel: () => void;
  /** Says everything to a page that begins anew. */
  readonly replay: () => void;
  readonly dispose: () => void;
}

/** Finds out one thing at a time, and tells `post` of progress and results. */
export function createDryRunSession(source: DryRunSource, post: (message: DryRunPanelToPage) => void): DryRunSession {
  const work = createShownWork(post);
  const found: { points: RatePoint[]; rate?: RateFound; estimate?: RunEstimate; samples?: Samples } = { points: [] };

  /** `tell` hears of every answer as long as nothing else has begun. */
  const dryRun = async (request: DryRunRequest, tell: DryRunCall['onAnswer']) => {
    await work.start(async ({ signal, isLatest, report }) => {
      await source.dryRun(request, {
        signal,
        onAnswer: (answer) => {
          if (!isLatest()) return;
          if (answer.type === 'progress') report(answer);
          tell(answer);
        },
      });
    });
  };
  return {
    rate: async (request) => {
      found.points = [];
      delete found.rate;
      post({ type: 'points', points: [] });
      await dryRun(request, (answer) => {
        if (answer.type === 'point') {
          found.points.push(answer.point);
          post({ type: 'points', points: [...found.points] });
        }
        if (answer.type === 'rate') post({ type: 'rate', rate: (found.rate = answer.rate) });
      });
    },
    estimate: (request) =>
      dryRun(request, (answer) => {
        if (answer.type === 'estimate') post({ type: 'estimate', estimate: (found.estimate = answer.estimate) });
      }),
    samples: async (place) => {
      await work.start(async ({ signal, isLatest, report }) => {
        const onAnswer = (answer: ServiceAnswerBody) => {
          if (answer.type === 'progress') report(answer);
        };
        const samples = await source.samples(place, { signal, onAnswer });
        if (isLatest()) post({ type: 'samples', samples: (found.samples = samples) });
      });
    },
    cancel: work.cancel,
    replay: () => {
      const { points, rate, estimate, samples } = found;
      if (points.length > 0) post({ type: 'points', points });
      if (rate) post({ type: 'rate', rate });
      if (estimate) post({ type: 'estimate', estimate });
      if (samples) post({ type: 'samples', samples });
      work.replay();
    },
    dispose: work.dispose,
  };
}

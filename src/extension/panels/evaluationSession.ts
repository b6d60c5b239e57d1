import * as l10n from '@vscode/l10n';
import type { Evaluation } from '../../protocol/evaluation.ts';
import type { EvaluationPanelToPage } from '../../protocol/evaluationPanel.ts';
import type { SplitName } from '../../protocol/dataReport.ts';
import type { CropCount, ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import { createShownWork, type Work } from './shownWork.ts';

/** What a checkpoint is tested on. */
export interface EvaluationData {
  readonly data: string;
  readonly split: SplitName;
}

export interface EvaluationRequest extends EvaluationData {
  readonly crops: CropCount;
  readonly signal: AbortSignal;
  readonly onAnswer: (answer: ServiceAnswerBody) => void;
}

export interface EvaluationSource {
  /** What the page calls the checkpoint. */
  readonly label: string;
  /** What is kept beside the checkpoint, newest first. */
  read(): Promise<Evaluation[]>;
  /** When the checkpoint was written; undefined where it is gone. */
  written(): Promise<string | undefined>;
  /** Whether its network sees whole images, so that there is one crop and never five. */
  wholeImages(): Promise<boolean>;
  /** Why nothing can be tested now; undefined where it can. */
  refusal(): string | undefined;
  /** Tests the checkpoint and keeps the result beside it; rejects as `Service.request` does. */
  evaluate(request: EvaluationRequest): Promise<void>;
}

/** The test results of one checkpoint. */
export interface EvaluationSession {
  /** Tests on this data, one number of crops after the other; what ran before is cancelled. */
  test(on: EvaluationData, crops: readonly CropCount[]): Promise<void>;
  cancel(): void;
  /** The checkpoint, what is kept beside it, or whether it can be tested, changed. */
  refresh(): Promise<void>;
  /** Says everything to a page that begins anew. */
  replay(): Promise<void>;
  dispose(): void;
}

/** Tests on request and tells `post` of progress and of what is kept. */
export function createEvaluationSession(
  source: EvaluationSource,
  post: (message: EvaluationPanelToPage) => void,
): EvaluationSession {
  const work = createShownWork(post);
  /** Results that could not be written beside the checkpoint; they last as long as the panel. */
  const unkept: Evaluation[] = [];
  let asked = 0;
  let told = 0;
  const postEvaluations = async (): Promise<void> => {
    const turn = ++asked;
    const [kept, written, wholeImages] = await Promise.all([source.read(), source.written(), source.wholeImages()]);
    // A look that began earlier and took longer knows less.
    if (turn < told) return;
    told = turn;
    const evaluations = [...unkept, ...kept].sort((a, b) => b.time.localeCompare(a.time));
    const refusal = source.refusal();
    post({
      type: 'evaluations',
      label: source.label,
      ...(written === undefined ? {} : { written }),
      ...(refusal === undefined ? {} : { refusal }),
      wholeImages,
      evaluations,
    });
  };
  const testOne = async (on: EvaluationData, crops: CropCount, { signal, report }: Work): Promise<void> => {
    const one = (await source.wholeImages()) ? l10n.t('whole image') : l10n.t('center crop');
    const title = crops === 1 ? one : l10n.t('five crops');
    const onAnswer = (answer: ServiceAnswerBody): void => {
      if (answer.type === 'evaluation' && answer.file === undefined) unkept.push(answer.evaluation);
      if (answer.type === 'progress') report({ ...answer, what: `${answer.what} (${on.split}, ${title})` });
    };
    await source.evaluate({ ...on, crops, signal, onAnswer });
    await postEvaluations();
  };

  return {
    test: async (on, crops) => {
      await work.start(async (own) => {
        for (const count of crops) await testOne(on, count, own);
      });
    },
    cancel: work.cancel,
    refresh: postEvaluations,
    replay: async () => {
      await postEvaluations();
      work.replay();
    },
    dispose: work.dispose,
  };
}

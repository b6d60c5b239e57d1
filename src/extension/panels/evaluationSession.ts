import * as l10n from '@vscode/l10n';
import type { ConfidenceCalibration } from '../../protocol/confidenceCalibration.ts';
import { type Evaluation, withoutProbabilities } from '../../protocol/evaluation.ts';
import type { EvaluationPanelToPage } from '../../protocol/evaluationPanel.ts';
import type { ImageTable } from '../../protocol/imageTable.ts';
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

export interface CalibrationRequest {
  readonly targetError?: number | undefined;
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
  /** What the checkpoint keeps of its confidence. */
  calibration(): Promise<ConfidenceCalibration | undefined>;
  /** Why nothing can be tested now; undefined where it can. */
  refusal(): string | undefined;
  /** Tests the checkpoint and keeps the result beside it; rejects as `Service.request` does. */
  evaluate(request: EvaluationRequest): Promise<void>;
  /** Fits the checkpoint's confidence and keeps that in it; rejects as `Service.request` does. */
  calibrate(request: CalibrationRequest): Promise<void>;
  /** Takes out of the checkpoint what was fitted; rejects as `Service.request` does. */
  uncalibrate(signal: AbortSignal): Promise<void>;
  /** Reads a table of images; throws a user error where it is none. */
  table(file: string): Promise<ImageTable>;
}

/** The test results of one checkpoint. */
export interface EvaluationSession {
  /** Tests on this data, one number of crops after the other; what ran before is cancelled. */
  test(on: EvaluationData, crops: readonly CropCount[]): Promise<void>;
  /** Fits the checkpoint's confidence, then tests again. */
  calibrate(targetError: number | undefined, on: EvaluationData, crops: readonly CropCount[]): Promise<void>;
  /** Takes out of the checkpoint what was fitted, then tests again. */
  uncalibrate(on: EvaluationData, crops: readonly CropCount[]): Promise<void>;
  /** Tells the page the probabilities of the test of that time with so many crops. */
  showProbabilities(time: string, crops: CropCount): Promise<void>;
  /** Tells the page what is in a table, now and after a replay. Throws a user error where it is none. */
  useTable(file: string): Promise<void>;
  cancel(): void;
  /** The checkpoint, what is kept beside it, or whether it can be tested, changed. */
  refresh(): Promise<void>;
  /** Says everything to a page that begins anew. */
  replay(): Promise<void>;
  dispose(): void;
}

type Change = (own: Work) => Promise<void>;

/** Tests on request and tells `post` of progress and of what is kept. */
export function createEvaluationSession(
  source: EvaluationSource,
  post: (message: EvaluationPanelToPage) => void,
): EvaluationSession {
  const work = createShownWork(post);
  let table: ImageTable | undefined;
  /** Results that could not be written beside the checkpoint; they last as long as the panel. */
  const unkept: Evaluation[] = [];
  let asked = 0;
  let told = 0;
  const postEvaluations = async (): Promise<void> => {
    const turn = ++asked;
    const [kept, written, wholeImages, calibration] = await Promise.all([
      ...([source.read(), source.written()] as const),
      ...([source.wholeImages(), source.calibration()] as const),
    ]);
    // A look that began earlier and took longer knows less.
    if (turn < told) return;
    told = turn;
    const refusal = source.refusal();
    post({
      type: 'evaluations',
      label: source.label,
      ...(written === undefined ? {} : { written }),
      ...(refusal === undefined ? {} : { refusal }),
      ...(calibration === undefined ? {} : { calibration }),
      wholeImages,
      evaluations: newestFirst([...unkept, ...kept]).map(withoutProbabilities),
    });
  };
  const testAll = async (on: EvaluationData, crops: readonly CropCount[], own: Work): Promise<void> => {
    for (const count of crops) {
      unkept.push(...(await testOne(source, on, count, own)));
      await postEvaluations();
    }
  };
  /** Changes what the checkpoint keeps, and tests with that. */
  const changeThenTest = async (change: Change, on: EvaluationData, crops: readonly CropCount[]): Promise<void> => {
    await work.start(async (own) => {
      await change(own);
      await postEvaluations();
      await testAll(on, crops, own);
    });
  };

  return {
    test: async (on, crops) => {
      await work.start((own) => testAll(on, crops, own));
    },
    calibrate: (targetError, on, crops) =>
      changeThenTest(
        ({ signal, report }) => {
          const onAnswer = (answer: ServiceAnswerBody): void => {
            if (answer.type === 'progress') report(answer);
          };
          return source.calibrate({ targetError, signal, onAnswer });
        },
        on,
        crops,
      ),
    uncalibrate: (on, crops) => changeThenTest(({ signal }) => source.uncalibrate(signal), on, crops),
    showProbabilities: async (time, crops) => {
      const all = [...unkept, ...(await source.read())];
      const found = all.find((evaluation) => evaluation.time === time && evaluation.cropCount === crops);
      const probabilities = found?.probabilities;
      post({ type: 'probabilities', time, crops, ...(probabilities === undefined ? {} : { probabilities }) });
    },
    useTable: async (file) => {
      table = await source.table(file);
      post({ type: 'table', table });
    },
    cancel: work.cancel,
    refresh: postEvaluations,
    replay: async () => {
      await postEvaluations();
      if (table) post({ type: 'table', table });
      work.replay();
    },
    dispose: work.dispose,
  };
}

/** Tests with so many crops; returns the result if it could not be written beside the checkpoint. */
async function testOne(
  source: EvaluationSource,
  on: EvaluationData,
  crops: CropCount,
  { signal, report }: Work,
): Promise<Evaluation[]> {
  const unkept: Evaluation[] = [];
  const one = (await source.wholeImages()) ? l10n.t('whole image') : l10n.t('center crop');
  const title = crops === 1 ? one : l10n.t('five crops');
  const onAnswer = (answer: ServiceAnswerBody): void => {
    if (answer.type === 'evaluation' && answer.file === undefined) unkept.push(answer.evaluation);
    if (answer.type === 'progress') report({ ...answer, what: `${answer.what} (${on.split}, ${title})` });
  };
  await source.evaluate({ ...on, crops, signal, onAnswer });
  return unkept;
}

function newestFirst(evaluations: readonly Evaluation[]): Evaluation[] {
  return evaluations.toSorted((a, b) => b.time.localeCompare(a.time));
}

import { CancelledError, messageOf } from '../../protocol/errors.ts';
import type { FailedPrediction } from '../../protocol/prediction.ts';
import type { PredictionPanelToPage, ShownPrediction } from '../../protocol/predictionPanel.ts';
import type { ClassifierSource, CropCount, ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import { gatherMessages } from './gatherMessages.ts';

/** Classes of each ranking. */
export const topK = 5;
/** Predictions of one message; each has a thumbnail of some thousand bytes. */
const resultsPerMessage = 50;

export interface PredictionRequest {
  readonly images: readonly string[];
  readonly source: ClassifierSource;
  readonly crops: CropCount;
  readonly signal: AbortSignal;
  readonly onAnswer: (answer: ServiceAnswerBody) => void;
}

/** What classifies; rejects as `Service.request` does. */
export type Predict = (request: PredictionRequest) => Promise<void>;

export interface SourceChanges {
  readonly source?: ClassifierSource;
  readonly crops?: CropCount;
}

/** The images that the prediction panel classifies, with what, and what was found. */
export interface PredictionSession {
  /** Images and folders. */
  readonly images: readonly string[];
  readonly source: ClassifierSource | undefined;
  readonly crops: CropCount;
  /** Forgets all results and classifies these, with another source or number of crops where one is given. */
  classify(images: readonly string[], using?: SourceChanges): void;
  /** Classifies those of them that are not there yet, too. */
  add(images: readonly string[]): void;
  /** Changes what classifies, and classifies all anew. */
  use(changes: SourceChanges): void;
  cancel(): void;
  /** Says everything but the setup to a page that begins anew. */
  replay(): void;
  dispose(): void;
}

interface Results {
  readonly predictions: ShownPrediction[];
  readonly failed: FailedPrediction[];
}

const idle = { type: 'progress', busy: false, what: '', done: 0, total: 0 } as const;

/** Classifies one list of images at a time and keeps what was found for the next replay. */
export function createPredictionSession(
  predict: Predict,
  post: (message: PredictionPanelToPage) => void,
): PredictionSession {
  let images: readonly string[] = [];
  let source: ClassifierSource | undefined;
  let crops: CropCount = 5;
  let results: Results = { predictions: [], failed: [] };
  let progress: Extract<PredictionPanelToPage, { type: 'progress' }> = idle;
  let problem: string | undefined;
  let running: AbortController | undefined;
  /** Images that came while others are classified; their turn is next. */
  let waiting: readonly string[] = [];
  const gathered = gatherMessages<ShownPrediction | FailedPrediction>((found) => post(resultsMessage(found)));

  function take(answer: ServiceAnswerBody): void {
    if (answer.type === 'prediction') {
      const { prediction, thumbnail } = answer;
      results.predictions.push({ prediction, thumbnail });
      gathered.add({ prediction, thumbnail });
    } else if (answer.type === 'failed') {
      results.failed.push(answer.failed);
      gathered.add(answer.failed);
    } else if (answer.type === 'progress') {
      const { what, done, total = 0 } = answer;
      report({ type: 'progress', busy: true, what, done, total });
    }
  }

  function report(now: typeof progress): void {
    progress = now;
    post(now);
  }

  function fail(message: string): void {
    problem = message;
    post({ type: 'error', message });
  }

  async function run(wanted: readonly string[]): Promise<void> {
    running?.abort();
    if (wanted.length === 0 || source === undefined) return;
    const controller = new AbortController();
    running = controller;
    // What an aborted request still answers belongs to no list any more.
    const onAnswer = (answer: ServiceAnswerBody) => {
      if (running === controller) take(answer);
    };
    report({ type: 'progress', busy: true, what: 'Starting', done: 0, total: 0 });
    try {
      await predict({ images: wanted, source, crops, signal: controller.signal, onAnswer });
    } catch (error) {
      if (running === controller && !(error instanceof CancelledError)) fail(messageOf(error));
    } finally {
      if (running === controller) {
        gathered.flush();
        running = undefined;
        report(idle);
        void run(takeWaiting());
      }
    }
  }

  function takeWaiting(): readonly string[] {
    const next = waiting;
    waiting = [];
    return next;
  }

  function begin(using: SourceChanges): void {
    source = using.source ?? source;
    crops = using.crops ?? crops;
    gathered.clear();
    waiting = [];
    results = { predictions: [], failed: [] };
    problem = undefined;
    post({ type: 'clear' });
    void run(images);
  }

  return {
    get images() {
      return images;
    },
    get source() {
      return source;
    },
    get crops() {
      return crops;
    },
    classify: (wanted, using = {}) => {
      images = [...new Set(wanted)];
      begin(using);
    },
    add: (wanted) => {
      const fresh = [...new Set(wanted)].filter((image) => !images.includes(image));
      images = [...images, ...fresh];
      if (running) waiting = [...waiting, ...fresh];
      else void run(fresh);
    },
    use: begin,
    cancel: () => {
      waiting = [];
      running?.abort();
    },
    replay: () => {
      gathered.clear();
      post({ type: 'clear' });
      for (const part of inParts([...results.predictions, ...results.failed])) post(resultsMessage(part));
      post(progress);
      if (problem !== undefined) post({ type: 'error', message: problem });
    },
    dispose: () => {
      gathered.clear();
      waiting = [];
      running?.abort();
      running = undefined;
    },
  };
}

function resultsMessage(found: readonly (ShownPrediction | FailedPrediction)[]): PredictionPanelToPage {
  return {
    type: 'results',
    predictions: found.filter((one): one is ShownPrediction => 'prediction' in one),
    failed: found.filter((one): one is FailedPrediction => 'error' in one),
  };
}

function inParts<Item>(items: readonly Item[]): Item[][] {
  const parts = Math.ceil(items.length / resultsPerMessage);
  return Array.from({ length: parts }, (_, at) => items.slice(at * resultsPerMessage, (at + 1) * resultsPerMessage));
}

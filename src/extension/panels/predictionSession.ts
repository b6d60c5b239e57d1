import * as l10n from '@vscode/l10n';
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
  /** Images and folders, as they were asked for. */
  readonly paths: readonly string[];
  /** Images that were taken off the list, of which some may lie in those folders. */
  readonly removed: readonly string[];
  readonly source: ClassifierSource | undefined;
  readonly crops: CropCount;
  /** Forgets all results and classifies these, with another source or number of crops if one is given. */
  classify(paths: readonly string[], using?: SourceChanges & { readonly removed?: readonly string[] }): void;
  /** Classifies those of them that are not there yet, too. */
  add(paths: readonly string[]): void;
  /** Takes an image off the list. */
  remove(image: string): void;
  /** Classifies all anew with another source; with another number of crops only what lacks some of them. */
  use(changes: SourceChanges): void;
  /** Classifies what of the list is not classified, as after a failure. */
  goOn(): void;
  cancel(): void;
  /** Says everything but the setup to a page that begins anew. */
  replay(): void;
  dispose(): void;
}

type Found = ShownPrediction | FailedPrediction;

const idle = { type: 'progress', busy: false, what: '', done: 0, total: 0 } as const;

/** Classifies one list of images at a time and keeps what was found for the next replay. */
export function createPredictionSession(
  predict: Predict,
  post: (message: PredictionPanelToPage) => void,
): PredictionSession {
  let paths: readonly string[] = [];
  const removed = new Set<string>();
  /** What was found of each image; undefined for what is not classified, and for a folder whose images are not known. */
  const list = new Map<string, Found | undefined>();
  let source: ClassifierSource | undefined;
  let crops: CropCount = 5;
  let progress: Extract<PredictionPanelToPage, { type: 'progress' }> = idle;
  let problem: string | undefined;
  let running: AbortController | undefined;
  /** Whether images came while others are classified; their turn is next. */
  let waiting = false;
  const gathered = gatherMessages<Found>((found) => post(resultsMessage(found)));

  function take(answer: ServiceAnswerBody, wanted: readonly string[]): void {
    if (answer.type === 'images') expand(wanted, answer.images);
    else if (answer.type === 'prediction')
      keep(answer.prediction.image, { prediction: answer.prediction, thumbnail: answer.thumbnail });
    else if (answer.type === 'failed') keep(answer.failed.image, answer.failed);
    else if (answer.type === 'progress') {
      const { what, done, total = 0 } = answer;
      report({ type: 'progress', busy: true, what, done, total });
    }
  }

  function keep(image: string, found: Found): void {
    // One that was taken off the list meanwhile is not there.
    if (!list.has(image)) return;
    list.set(image, found);
    gathered.add(found);
  }

  /** Puts the images that folders hold in the folders' place. */
  function expand(wanted: readonly string[], images: readonly string[]): void {
    const found = new Set(images);
    for (const path of wanted) if (!found.has(path)) list.delete(path);
    for (const image of found) if (!list.has(image) && !removed.has(image)) list.set(image, undefined);
    postImages();
  }

  function postImages(): void {
    post({ type: 'images', images: [...list.keys()] });
  }

  function report(now: typeof progress): void {
    progress = now;
    post(now);
  }

  function fail(message: string): void {
    problem = message;
    post({ type: 'error', message });
  }

  function unclassified(): string[] {
    const lacks = (found: Found | undefined) =>
      found === undefined || ('prediction' in found && found.prediction.crops.length < crops);
    return [...list].flatMap(([path, found]) => (lacks(found) ? [path] : []));
  }

  async function run(): Promise<void> {
    running?.abort();
    takeWaiting();
    const wanted = unclassified();
    if (wanted.length === 0 || source === undefined) return;
    const controller = new AbortController();
    running = controller;
    problem = undefined;
    // What an aborted request still answers belongs to no list any more.
    const onAnswer = (answer: ServiceAnswerBody) => {
      if (running === controller) take(answer, wanted);
    };
    report({ type: 'progress', busy: true, what: l10n.t('Starting'), done: 0, total: 0 });
    try {
      await predict({ images: wanted, source, crops, signal: controller.signal, onAnswer });
    } catch (error) {
      if (running === controller && !(error instanceof CancelledError)) fail(messageOf(error));
    } finally {
      if (running === controller) {
        gathered.flush();
        running = undefined;
        report(idle);
        if (takeWaiting()) void run();
      }
    }
  }

  function takeWaiting(): boolean {
    const came = waiting;
    waiting = false;
    return came;
  }

  function forgetResults(): void {
    gathered.clear();
    for (const path of list.keys()) list.set(path, undefined);
    problem = undefined;
    post({ type: 'clear' });
    postImages();
  }

  return {
    get paths() {
      return paths;
    },
    get removed() {
      return [...removed];
    },
    get source() {
      return source;
    },
    get crops() {
      return crops;
    },
    classify: (wanted, using = {}) => {
      paths = [...new Set(wanted)];
      source = using.source ?? source;
      crops = using.crops ?? crops;
      removed.clear();
      for (const image of using.removed ?? []) removed.add(image);
      list.clear();
      for (const path of paths) list.set(path, undefined);
      forgetResults();
      void run();
    },
    add: (wanted) => {
      for (const path of wanted) removed.delete(path);
      const fresh = [...new Set(wanted)].filter((path) => !paths.includes(path) && !list.has(path));
      if (fresh.length === 0) return;
      paths = [...paths, ...fresh];
      for (const path of fresh) list.set(path, undefined);
      postImages();
      if (running) waiting = true;
      else void run();
    },
    remove: (image) => {
      if (!list.delete(image)) return;
      paths = paths.filter((path) => path !== image);
      removed.add(image);
      postImages();
      if (list.size === 0) running?.abort();
    },
    use: (changes) => {
      crops = changes.crops ?? crops;
      if (changes.source !== undefined) {
        source = changes.source;
        forgetResults();
      }
      void run();
    },
    goOn: () => void run(),
    cancel: () => {
      waiting = false;
      running?.abort();
    },
    replay: () => {
      gathered.clear();
      post({ type: 'clear' });
      postImages();
      const found = [...list.values()].filter((one) => one !== undefined);
      for (const some of inMessages(found)) post(resultsMessage(some));
      post(progress);
      if (problem !== undefined) post({ type: 'error', message: problem });
    },
    dispose: () => {
      gathered.clear();
      waiting = false;
      running?.abort();
      running = undefined;
    },
  };
}

function resultsMessage(found: readonly Found[]): PredictionPanelToPage {
  return {
    type: 'results',
    predictions: found.filter((one): one is ShownPrediction => 'prediction' in one),
    failed: found.filter((one): one is FailedPrediction => 'error' in one),
  };
}

/** Slices that each fit into one message. */
function inMessages<Item>(items: readonly Item[]): Item[][] {
  const parts = Math.ceil(items.length / resultsPerMessage);
  return Array.from({ length: parts }, (_, at) => items.slice(at * resultsPerMessage, (at + 1) * resultsPerMessage));
}

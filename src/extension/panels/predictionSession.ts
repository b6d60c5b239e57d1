import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import type { PredictionPanelToPage } from '../../protocol/predictionPanel.ts';
import type { ClassifierSource, CropCount, ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import { createPredictionList, type PredictionList } from './predictionList.ts';
import { createShownWork, type Work } from './shownWork.ts';

/** Classes of each ranking. */
export const topK = 5;
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

/** What classifies. */
export interface Using {
  source: ClassifierSource | undefined;
  crops: CropCount;
  /** Whether the source is known to see whole images, so that there is one crop and never five. */
  wholeImages: boolean;
}

/** The images that the prediction panel classifies, with what, and what was found. */
export interface PredictionSession {
  /** Images and folders, as they were asked for. */
  readonly paths: readonly string[];
  /** Images that were taken off the list, of which some may lie in those folders. */
  readonly removed: readonly string[];
  readonly using: Readonly<Using>;
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

/**
 * Classifies one list of images at a time and keeps what was found for the next replay. `onClassifier` is called when it is
 * known whether the source sees whole images.
 */
export function createPredictionSession(
  predict: Predict,
  post: (message: PredictionPanelToPage) => void,
  onClassifier: () => void,
): PredictionSession {
  const list = createPredictionList(post);
  const work = createShownWork(post);
  const { using, change, learn, replay } = createUsing(post);
  /** Whether images came while others are classified; their turn is next. */
  let waiting = false;

  const run = (): void => {
    work.cancel();
    waiting = false;
    const { source, crops, wholeImages } = using;
    const wanted = list.lacking(wholeImages ? 1 : crops);
    if (wanted.length === 0 || source === undefined) return;
    const classifyWanted = async ({ signal, isLatest, report }: Work): Promise<void> => {
      const onAnswer = (answer: ServiceAnswerBody): void => {
        if (answer.type === 'progress') report(answer);
        else if (isLatest()) keepAnswer(list, wanted, answer);
        if (answer.type !== 'classifier' || !isLatest()) return;
        learn(answer);
        onClassifier();
      };
      await predict({ images: wanted, source, crops, signal, onAnswer }).finally(list.flush);
    };
    void work.start(classifyWanted).then((isLatest) => {
      if (isLatest && waiting) run();
    });
  };

  return {
    get paths() {
      return list.paths;
    },
    get removed() {
      return list.removed;
    },
    using,
    classify: (wanted, { removed = [], ...changes } = {}) => {
      change(changes);
      work.forgetFailure();
      list.reset(wanted, removed);
      run();
    },
    add: (wanted) => {
      if (!list.add(wanted)) return;
      if (work.isRunning) waiting = true;
      else run();
    },
    remove: (image) => {
      list.remove(image);
      if (list.isEmpty) work.cancel();
    },
    use: (changes) => {
      change(changes);
      if (changes.source !== undefined) {
        work.forgetFailure();
        list.forgetFound();
      }
      run();
    },
    goOn: run,
    cancel: () => {
      waiting = false;
      work.cancel();
    },
    replay: () => {
      replay();
      list.replay();
      work.replay();
    },
    dispose: () => {
      waiting = false;
      list.dispose();
      work.dispose();
    },
  };
}

/** What classifies; the page is told which classes that has. */
function createUsing(post: (message: PredictionPanelToPage) => void) {
  const using: Using = { source: undefined, crops: 5, wholeImages: false };
  let classes: readonly ClassLabel[] = [];
  const tell = (known: readonly ClassLabel[]): void => {
    classes = known;
    post({ type: 'classes', classes: [...classes] });
  };
  return {
    using,
    /** Of another source it is not known yet how it sees images, and which classes it has. */
    change: ({ source, crops }: SourceChanges): void => {
      using.crops = crops ?? using.crops;
      if (source === undefined) return;
      Object.assign(using, { source, wholeImages: false });
      tell([]);
    },
    learn: (answer: Extract<ServiceAnswerBody, { type: 'classifier' }>): void => {
      using.wholeImages = answer.wholeImages;
      tell(answer.classes);
    },
    replay: (): void => tell(classes),
  };
}

function keepAnswer(list: PredictionList, wanted: readonly string[], answer: ServiceAnswerBody): void {
  if (answer.type === 'images') list.expand(wanted, answer.images);
  else if (answer.type === 'prediction')
    list.keep(answer.prediction.image, { prediction: answer.prediction, thumbnail: answer.thumbnail });
  else if (answer.type === 'failed') list.keep(answer.failed.image, answer.failed);
}

import type * as vscode from 'vscode';
import type { SplitName } from '../protocol/dataReport.ts';
import type { LookAhead } from '../protocol/dryRunPanel.ts';
import type {
  ClassifierSource,
  CropCount,
  ServiceAnswerBody,
  ServiceRequestBody,
} from '../protocol/serviceProtocol.ts';
import type { GivenConfig } from '../protocol/trainingConfig.ts';
import type { RunStore } from './trainer/runStore.ts';
import type { Trainers } from './trainer/trainers.ts';
import type { Log } from './log.ts';

/**
 * What the parts of the extension know of each other, made in this order when it starts. Each takes those that it needs,
 * registers what it has, and returns a `Disposable`.
 */
export interface Parts {
  readonly log: Log;
  /** The runs on disk, followed. */
  readonly runs: RunStore;
  /** Trainer processes and the queue. */
  readonly trainers: Trainers;
  /** The process that classifies, tests, checks and exports. */
  readonly service: Service;
  readonly panels: Panels;
}

export interface ServiceCall {
  /** Every answer but `done` and `error`, as it comes. */
  readonly onAnswer?: (answer: ServiceAnswerBody) => void;
  readonly signal?: AbortSignal;
}

export interface Service {
  dispose(): void;
  /**
   * Starts the process where it does not run, and resolves at `done`. Rejects with a `UserError`, a `CancelledError`, or
   * an `Error` that is a bug.
   */
  request(request: ServiceRequestBody, call?: ServiceCall): Promise<void>;
  /** Every answer to any request, but `done` and `error`. */
  readonly onDidAnswer: vscode.Event<ServiceAnswerBody>;
}

/** What the user came back with: another learning rate, or the settings as they were. */
export interface LookedAhead {
  readonly learningRate?: number | undefined;
}

/** One of the tests of a checkpoint. */
export interface TestOfCheckpoint {
  readonly checkpoint: string;
  readonly data: string;
  readonly split: SplitName;
  readonly crops: CropCount;
}

export interface TitledImages {
  readonly title: string;
  readonly images: readonly string[];
}

/** The webview panels, as commands and views open them. */
export interface Panels {
  /** Opens the training panel, or brings it to the front, with these run folders; the first is in focus. */
  showRuns(folders: readonly string[], options?: { readonly preserveFocus: boolean }): void;
  /** Opens the panel of a sweep, by its folder, or brings it to the front. */
  showSweep(folder: string): void;
  /** A run's folder has another name now: where it is shown, it stays. */
  runRenamed(from: string, to: string): void;
  /** Opens the prediction panel and classifies images and folders of images, with `source` or with what did it last. */
  showPredictions(images: readonly string[], source?: ClassifierSource): void;
  /** Takes an image off the list of the prediction panel. */
  removeImage(image: string): void;
  /** Classifies the images of the prediction panel again, with another source. */
  classifyAgain(source: ClassifierSource): void;
  /**
   * Opens the page that looks ahead at a training, and begins with `first`. Resolves when the user goes back to the question
   * that they came from; to undefined if they close the page.
   */
  lookAhead(config: GivenConfig, first: LookAhead): Promise<LookedAhead | undefined>;
  /** Opens the panel that cleans a data folder, or brings it to the front. */
  cleanData(data: string): void;
  /**
   * Opens the panel with the map of a data folder's images, or brings it to the front, by the features of `source`, or of what
   * was used last.
   */
  showFeatureMap(data: string, source?: ClassifierSource): void;
  /** Opens the panel that labels the images of a folder for a data folder, or brings it to the front. */
  labelImages(data: string, unlabelled: string): void;
  /** Opens the panel with a checkpoint's test results, and tests it where `test` says on what. */
  showEvaluation(
    checkpoint: string,
    test?: {
      readonly on: { readonly data: string; readonly split: SplitName };
      readonly crops: readonly CropCount[];
    },
  ): void;
  /** Opens the panel with a checkpoint's test results on one of them, and images of it under a title. */
  showTestedImages(test: TestOfCheckpoint, images?: TitledImages): void;
}

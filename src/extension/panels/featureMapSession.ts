import * as l10n from '@vscode/l10n';
import { CancelledError, userError } from '../../protocol/errors.ts';
import type { FeatureMap } from '../../protocol/featureMap.ts';
import type { FeatureMapPanelToPage, MapTest } from '../../protocol/featureMapPanel.ts';
import type { ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import { createShownWork } from './shownWork.ts';

/** Who draws the map, and what is known of its images. */
export interface FeatureMapSource {
  /** Rejects as `Service.request` does. */
  readonly map: (call: {
    readonly signal: AbortSignal;
    readonly onAnswer: (answer: ServiceAnswerBody) => void;
  }) => Promise<FeatureMap>;
  readonly tests: () => Promise<MapTest[]>;
}

/** The map of one data folder. */
export interface FeatureMapSession {
  /** The map that was drawn last. */
  readonly map: FeatureMap | undefined;
  readonly isRunning: boolean;
  /** Draws the map, of which `post` is told. */
  readonly look: () => Promise<void>;
  /** Forgets the map: another network's will come. */
  readonly forget: () => void;
  readonly refreshTests: () => Promise<void>;
  readonly cancel: () => void;
  /** Says everything to a page that begins anew. */
  readonly replay: () => void;
  readonly dispose: () => void;
}

export function createFeatureMapSession(
  source: FeatureMapSource,
  post: (message: FeatureMapPanelToPage) => void,
): FeatureMapSession {
  const work = createShownWork(post);
  let map: FeatureMap | undefined;
  let tests: MapTest[] = [];
  let asked = 0;
  const refreshTests = async () => {
    const turn = ++asked;
    const found = await source.tests();
    // A look that began earlier and took longer knows less.
    if (turn === asked) post({ type: 'tests', tests: (tests = found) });
  };
  return {
    get map() {
      return map;
    },
    get isRunning() {
      return work.isRunning;
    },
    look: async () => {
      await work.start(async ({ signal, isLatest, report }) => {
        const onAnswer = (answer: ServiceAnswerBody) => {
          if (answer.type === 'progress') report(answer);
        };
        const drawn = await source.map({ signal, onAnswer }).catch((error: unknown) => {
          // Where nothing is shown, the page offers to try again.
          throw error instanceof CancelledError && isLatest() && !map ? userError(l10n.t('It was cancelled.')) : error;
        });
        if (!isLatest()) return;
        post({ type: 'map', map: (map = drawn) });
        await refreshTests();
      });
    },
    forget: () => {
      map = undefined;
      tests = [];
      // What is still being read is of the network before.
      asked++;
    },
    refreshTests,
    cancel: work.cancel,
    replay: () => {
      if (map) post({ type: 'map', map });
      post({ type: 'tests', tests });
      work.replay();
    },
    dispose: work.dispose,
  };
}

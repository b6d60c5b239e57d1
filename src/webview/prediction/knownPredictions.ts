import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import type { PredictionPanelToPage } from '../../protocol/predictionPanel.ts';
import type { LookMessage } from './knownLooks.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import { seenWith, type PredictionRow } from './predictionRows.ts';

type Of<Type extends PredictionPanelToPage['type']> = Extract<PredictionPanelToPage, { type: Type }>;

/** What the page knows from the host. */
export type KnownPredictions = {
  setup: Of<'setup'> | undefined;
  progress: Of<'progress'> | undefined;
  problem: string | undefined;
  /** Of what classifies; none while they are not known. */
  classes: readonly ClassLabel[];
  crops: CropCount;
  /** A row of each image, as the wanted number of crops sees it. */
  rows: () => PredictionRow[];
  row: (image: string | undefined) => PredictionRow | undefined;
  /** Takes a message; pictures are kept by who asked for them. */
  hear: (message: Exclude<PredictionPanelToPage, { type: 'preview' | LookMessage['type'] }>) => void;
};

export function knownPredictions(): KnownPredictions {
  let rows = new Map<string, PredictionRow>();
  const known: KnownPredictions = {
    setup: undefined,
    progress: undefined,
    problem: undefined,
    classes: [],
    get crops() {
      if (known.setup?.wholeImages) return 1;
      return known.setup?.crops ?? 5;
    },
    rows: () => [...rows.values()].map((row) => seenWith(row, known.crops)),
    row: (image) => {
      const row = rows.get(image ?? '');
      return row && seenWith(row, known.crops);
    },
    hear: (message) => {
      switch (message.type) {
        case 'setup':
          known.setup = message;
          break;
        case 'classes':
          known.classes = message.classes;
          break;
        case 'clear':
          rows.clear();
          known.problem = undefined;
          break;
        case 'images':
          rows = new Map(message.images.map((image) => [image, rows.get(image) ?? { kind: 'unclassified', image }]));
          break;
        case 'results':
          for (const one of message.predictions) {
            rows.set(one.prediction.image, { kind: 'classified', image: one.prediction.image, ...one });
          }
          for (const one of message.failed) rows.set(one.image, { kind: 'failed', ...one });
          break;
        case 'progress':
          known.progress = message;
          if (message.busy) known.problem = undefined;
          break;
        case 'error':
          known.problem = message.message;
          break;
      }
    },
  };
  return known;
}

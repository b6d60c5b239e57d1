import type {
  ArrivedPicture,
  FeaturePanelToHost,
  FeatureProgress,
  FeatureSources,
} from '../../protocol/featurePanel.ts';
import { pictureStore, type Pictures } from './pictures.ts';

const [thumbnailPixels, largePixels] = [96, 640];

/** What a page knows, beside its figures, that judges images by a network's features. */
export type FeaturePage<Sources extends FeatureSources> = {
  readonly sources: Sources | undefined;
  readonly progress: FeatureProgress | undefined;
  /** Why there are no new figures. */
  problem: string | undefined;
  readonly thumbnails: Pictures;
  readonly large: Pictures;
  /** Takes what the host says; whether there is something to be drawn. */
  told: (message: Sources | FeatureProgress | ArrivedPicture) => boolean;
};

export function featurePage<Sources extends FeatureSources>(
  send: (message: Extract<FeaturePanelToHost, { type: 'picture' }>) => void,
): FeaturePage<Sources> {
  let sources: Sources | undefined;
  let progress: FeatureProgress | undefined;
  const pictures = (size: number) => pictureStore((image) => send({ type: 'picture', image, size }));
  const [thumbnails, large] = [pictures(thumbnailPixels), pictures(largePixels)];
  return {
    get sources() {
      return sources;
    },
    get progress() {
      return progress;
    },
    problem: undefined,
    thumbnails,
    large,
    told: (message) => {
      if (message.type === 'picture') {
        (message.size === thumbnailPixels ? thumbnails : large).arrived(message.image, message.picture);
        return false;
      }
      if (message.type === 'progress') progress = message;
      else sources = message;
      return true;
    },
  };
}

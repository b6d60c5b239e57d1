import type { Explanation } from '../../protocol/explanation.ts';
import type { PredictionPanelToHost, PredictionPanelToPage } from '../../protocol/predictionPanel.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import type { Precision } from '../../protocol/trainingConfig.ts';
import { percent } from '../../charts/format.ts';

/** What is known of where a class was seen in an image. */
export type Look =
  | { state: 'off' }
  | { state: 'busy'; index: number; what: string }
  | { state: 'failed'; index: number; reason: string }
  | { state: 'seen'; explanation: Explanation; precision: Precision };

export type LookMessage = Extract<PredictionPanelToPage, { type: 'explaining' | 'explanation' | 'unexplained' }>;

/** Where a class was seen in the image that was asked for last. */
export type KnownLooks = {
  of: (image: string | undefined) => Look;
  /** Asks for a class, by its index, in an image; without one what is known is forgotten, and what runs is cancelled. */
  look: (image: string | undefined, index: number | undefined) => void;
  /**
   * Takes a message and says whether it is one of these. What is known is forgotten when all results are, when its image
   * leaves the list, and when the number of crops changes.
   */
  hear: (message: PredictionPanelToPage) => message is LookMessage;
};

const off: Look = { state: 'off' };

export function knownLooks(send: (message: PredictionPanelToHost) => void, refresh: () => void): KnownLooks {
  let known: { image: string; index: number; look: Look } | undefined;
  let crops: CropCount | undefined;

  const forget = (): void => {
    if (known?.look.state === 'busy') send({ type: 'cancelExplaining' });
    known = undefined;
  };
  const look: KnownLooks['look'] = (image, index) => {
    forget();
    if (image !== undefined && index !== undefined) {
      known = { image, index, look: { state: 'busy', index, what: '…' } };
      send({ type: 'explain', image, index });
    }
    refresh();
  };
  const take = (image: string, index: number, found: Look): void => {
    // What was asked for before another one is of no use any more.
    if (known?.image === image && known.index === index) known = { image, index, look: found };
  };
  return {
    of: (image) => (known && known.image === image ? known.look : off),
    look,
    hear: (message): message is LookMessage => {
      switch (message.type) {
        case 'explaining': {
          const { image, index, what, done, total } = message;
          take(image, index, { state: 'busy', index, what: total === undefined ? what : `${what} ${percent(done / total, 0)}` }); // prettier-ignore
          return true;
        }
        case 'explanation': {
          const { explanation, precision } = message;
          take(explanation.image, explanation.index, { state: 'seen', explanation, precision });
          return true;
        }
        case 'unexplained':
          take(message.image, message.index, { state: 'failed', index: message.index, reason: message.reason });
          return true;
        case 'setup': {
          const now = message.wholeImages ? 1 : message.crops;
          if (now !== crops) forget();
          crops = now;
          return false;
        }
        case 'images':
          if (known && !message.images.includes(known.image)) forget();
          return false;
        case 'clear':
          forget();
          return false;
        default:
          return false;
      }
    },
  };
}

import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { keepScroll } from '../components/keepScroll.ts';
import { whenChanged } from '../components/whenChanged.ts';
import { imageDetail, type ImageDetail } from './imageDetail.ts';
import type { Look } from './knownLooks.ts';
import type { LookedOptions } from './lookedSection.ts';
import type { PredictionRow } from './predictionRows.ts';

const keptPreviews = 12;

export type DetailPlaceOptions = {
  onOpen: (image: string) => void;
  onRemove: (image: string) => void;
  /** Asks for a picture of the image. */
  onWanted: (image: string) => void;
  scrolled: number;
  onScroll: (top: number) => void;
} & LookedOptions;

export type DetailPlace = {
  element: HTMLElement;
  draw: (row: PredictionRow | undefined, look: Look, opacity: number) => void;
  /** Takes a picture that was asked for. */
  arrived: (image: string, picture: string) => void;
};

/** The place where all of one image is shown; it is built anew only when something of that changes. */
export function detailPlace(options: DetailPlaceOptions): DetailPlace {
  const { onWanted, scrolled, onScroll } = options;
  const previews = new Map<string, string>();
  const filled = element('div');
  const place = element('div', { class: 'detail-place' }, [filled]);
  keepScroll({ place, kept: scrolled, keep: onScroll });
  let shown = { image: '', key: '' };
  let drawLook: ImageDetail['look'] = () => undefined;
  return {
    element: place,
    draw: (row, look, opacity) => {
      const image = row?.image ?? '';
      const picture = previews.get(image);
      const crops = row?.kind === 'classified' ? row.prediction.crops.length : 0;
      const key = JSON.stringify([image, row?.kind, crops, picture !== undefined]);
      if (key === shown.key) {
        drawLook(look, opacity);
        return;
      }
      const [other, top] = [image !== shown.image, place.scrollTop];
      const first = shown.key === '';
      shown = { image, key };
      const detail = row && imageDetail(row, { ...options, picture });
      const none = element('p', { class: 'empty' }, [l10n.t('Select an image.')]);
      keepFocus(filled, () => filled.replaceChildren(detail?.element ?? none));
      drawLook = whenChanged(detail?.look ?? (() => undefined));
      drawLook(look, opacity);
      // The first one is scrolled to where the page was left.
      if (!first) place.scrollTop = other ? 0 : top;
      if (row?.kind === 'classified' && picture === undefined) onWanted(image);
    },
    arrived: (image, picture) => {
      previews.set(image, picture);
      const oldest = previews.keys().next();
      if (previews.size > keptPreviews && oldest.done !== true) previews.delete(oldest.value);
    },
  };
}

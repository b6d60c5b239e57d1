export type KeepScrollOptions = {
  /** What scrolls, with the children that will fill it; the page as a whole without it. */
  place?: HTMLElement;
  /** How far it was scrolled when it was left, in pixels. */
  kept: number;
  keep: (scroll: number) => void;
};

/**
 * Keeps how far the page or a part of it is scrolled, so that it is there again when its tab is left and come back to.
 * The page is filled part by part then: it is scrolled as soon as it is long enough, unless the reader was faster.
 * `pending` says whether that is still to come.
 */
export function keepScroll({ place, kept, keep }: KeepScrollOptions): { readonly pending: boolean } {
  let wanted = kept;
  const box = place ?? document.scrollingElement ?? document.documentElement;
  const settle = () => {
    if (wanted === 0) return;
    box.scrollTop = wanted;
    if (box.scrollTop >= wanted - 1) wanted = 0;
  };
  const filling = new ResizeObserver(settle);
  const filled = place ?? document.body;
  for (const part of [filled, ...filled.children]) filling.observe(part);
  for (const reading of ['wheel', 'keydown', 'pointerdown']) {
    addEventListener(reading, () => (wanted = 0), { passive: true, capture: true });
  }
  (place ?? window).addEventListener('scroll', () => wanted === 0 && keep(Math.round(box.scrollTop)), {
    passive: true,
  });
  return {
    get pending() {
      return wanted > 0;
    },
  };
}

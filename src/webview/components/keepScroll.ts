import type { KeptState } from './host.ts';

/**
 * Keeps how far the page is scrolled, so that it is there again when its tab is left and come back to. The page is
 * filled part by part then: it is scrolled as soon as it is long enough, unless the reader was faster.
 */
export function keepScroll(state: KeptState<{ scroll: number }>): void {
  let wanted = state.value.scroll;
  const place = document.scrollingElement ?? document.documentElement;
  const settle = () => {
    if (wanted === 0) return;
    place.scrollTop = wanted;
    if (place.scrollTop >= wanted - 1) wanted = 0;
  };
  const filling = new ResizeObserver(settle);
  filling.observe(document.body);
  for (const child of document.body.children) filling.observe(child);
  for (const reading of ['wheel', 'keydown', 'pointerdown']) {
    addEventListener(reading, () => (wanted = 0), { passive: true, capture: true });
  }
  addEventListener('scroll', () => wanted === 0 && state.change({ scroll: Math.round(place.scrollTop) }), {
    passive: true,
  });
}

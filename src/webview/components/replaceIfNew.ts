/** Replaces what is shown only if it would look different, so that a selection of text stays. */
export function replaceIfNew(place: HTMLElement, next: HTMLElement): void {
  if (place.firstElementChild?.outerHTML !== next.outerHTML) place.replaceChildren(next);
}

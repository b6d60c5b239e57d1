const focusable = 'button, [tabindex], vscode-button, a[href], input';

/** Takes note of the control that has the focus, and returns what gives it back, also where its section was built anew. */
export function noteFocus(): () => void {
  const section = document.activeElement?.closest('section');
  const position = [...(section?.querySelectorAll(focusable) ?? [])].findIndex(
    (each) => each === document.activeElement,
  );
  return () => section?.querySelectorAll<HTMLElement>(focusable)[position]?.focus();
}

/** Builds a part of the page anew and gives the focus back to the control in the same place, if one had it. */
export function keepFocus(place: HTMLElement, build: () => void): void {
  const before = [...place.querySelectorAll<HTMLElement>(focusable)];
  const position = before.findIndex((control) => control === document.activeElement);
  build();
  if (position >= 0) place.querySelectorAll<HTMLElement>(focusable)[position]?.focus();
}

/** Which crop of an image is set off: the one that the pointer or the focus is on, else the one that was clicked. */
export type CropHighlight = {
  /**
   * Makes an element react as all that stand for that crop do: hover and focus set the crop off, a click on `control`
   * keeps it so until the next one.
   */
  follow: (element: HTMLElement, control: HTMLElement, position: number) => void;
  /** Hears of the crop's position, or of undefined when none is set off. */
  onChange: (listener: (position: number | undefined) => void) => void;
};

export function cropHighlight(): CropHighlight {
  let under: number | undefined;
  let clicked: number | undefined;
  const listeners: ((position: number | undefined) => void)[] = [];
  const controls: [HTMLElement, number][] = [];
  const tell = (): void => {
    for (const [control, position] of controls) control.setAttribute('aria-pressed', String(position === clicked));
    for (const listener of listeners) listener(under ?? clicked);
  };
  return {
    follow: (element, control, position) => {
      controls.push([control, position]);
      control.setAttribute('aria-pressed', 'false');
      for (const event of ['mouseenter', 'focusin']) {
        element.addEventListener(event, () => {
          under = position;
          tell();
        });
      }
      for (const event of ['mouseleave', 'focusout']) {
        element.addEventListener(event, () => {
          under = undefined;
          tell();
        });
      }
      control.addEventListener('click', () => {
        clicked = clicked === position ? undefined : position;
        tell();
      });
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

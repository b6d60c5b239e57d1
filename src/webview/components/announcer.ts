import { element } from './element.ts';
import { setText } from './setText.ts';

export type Announcer = { element: HTMLElement; say: (text: string) => void };

/** A line that only screen readers get; the same text is not said twice. */
export function announcer(): Announcer {
  const line = element('div', { class: 'spoken', role: 'status', 'aria-live': 'polite' });
  return {
    element: line,
    say: (text) => {
      setText(line, text);
    },
  };
}

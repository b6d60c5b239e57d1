import { element } from '../components/element.ts';
import type { ServerAnswer } from './askServer.ts';

export interface ServingViewOptions {
  readonly root: HTMLElement;
  readonly needsToken: boolean;
  /** Throws an `Error` with a sentence. */
  readonly ask: (file: File, token: string) => Promise<ServerAnswer>;
}

/** Images are dropped or chosen, and each one's classes appear beside it. The newest comes first. */
export function servingView({ root, needsToken, ask }: ServingViewOptions): void {
  const token = element('input', { type: 'password', autocomplete: 'off', spellcheck: 'false' });
  const choose = element('input', { type: 'file', accept: 'image/*', multiple: true });
  const drop = element('label', { class: 'drop' }, [choose, 'Drop images here, or click to choose some.']);
  const status = element('p', { class: 'status', role: 'status' });
  const answers = element('ul', { class: 'answers' });

  async function classify(files: readonly File[]): Promise<void> {
    let done = 0;
    // One after the other, as people look at them.
    for (const file of files) {
      status.textContent = `Classifying ${++done} of ${files.length}…`;
      answers.prepend(await itemOf(file, () => ask(file, token.value.trim())));
    }
    status.textContent = files.length === 1 ? 'Classified 1 image.' : `Classified ${files.length} images.`;
  }

  choose.addEventListener('change', () => {
    const files = [...(choose.files ?? [])];
    choose.value = '';
    void classify(files);
  });
  drop.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    void classify([...(event.dataTransfer?.files ?? [])]);
  });

  if (needsToken) root.append(element('label', { class: 'token' }, ['Token', token]));
  root.append(drop, status, answers, help(needsToken));
}

async function itemOf(file: File, ask: () => Promise<ServerAnswer>): Promise<HTMLElement> {
  const picture = element('img', { src: URL.createObjectURL(file), alt: file.name });
  const forget = () => URL.revokeObjectURL(picture.src);
  picture.addEventListener('load', forget);
  // Formats that browsers do not show are classified all the same.
  picture.addEventListener('error', () => {
    forget();
    picture.hidden = true;
  });
  return element('li', {}, [picture, element('p', {}, [file.name]), await answered(ask)]);
}

async function answered(ask: () => Promise<ServerAnswer>): Promise<HTMLElement> {
  try {
    const answer = await ask();
    if ('error' in answer) return failure(answer.error);
    const rows = answer.mean.map(({ name, probability }) =>
      element('tr', {}, [element('td', {}, [name]), element('td', {}, [`${(100 * probability).toFixed(1)} %`])]),
    );
    const table = element('table', {}, [element('tbody', {}, rows)]);
    if (answer.rejected !== true) return table;
    return element('div', {}, [element('p', {}, ['None of these: the confidence is below the threshold.']), table]);
  } catch (error) {
    return failure(error instanceof Error ? error.message : String(error));
  }
}

function failure(sentence: string): HTMLElement {
  return element('p', { class: 'error' }, [sentence]);
}

function help(needsToken: boolean): HTMLElement {
  const token = needsToken ? "-H 'Authorization: Bearer TOKEN' " : '';
  const command = `curl ${token}-F image=@photo.jpg ${location.origin}/classify`;
  // A browser sends no token with a link.
  const path = (name: string) => (needsToken ? element('code', {}, [name]) : element('a', { href: name }, [name]));
  return element('footer', {}, [
    element('p', {}, ['From a program: ', element('code', {}, [command])]),
    element('p', {}, [
      path('/openapi.json'),
      ' describes the interface, ',
      path('/metrics'),
      ' has figures for Prometheus.',
    ]),
  ]);
}

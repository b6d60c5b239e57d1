import type * as z from 'zod';

type EditorApi = {
  postMessage: (message: unknown) => void;
  getState: () => unknown;
  setState: (state: unknown) => void;
};
declare function acquireVsCodeApi(): EditorApi;

let acquired: EditorApi | undefined;

/** The editor hands its interface out once. */
function editor(): EditorApi {
  acquired ??= acquireVsCodeApi();
  return acquired;
}

/**
 * Listens to the host and checks what it says against the protocol; what does not fit is left out and reported on the
 * console. The page says `ready` when it can show something, so that the host replays all.
 */
export function listen<Message>(schema: z.ZodType<Message>, receive: (message: Message) => void): void {
  window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    const parsed = schema.safeParse(data);
    if (parsed.success) receive(parsed.data);
    else console.error(`A message of the host does not fit the protocol: ${parsed.error.message}`);
  });
}

/** Sends a message, which each page narrows to its own union. */
export function post(message: unknown): void {
  editor().postMessage(message);
}

export type KeptState<State> = { readonly value: State; change: (part: Partial<State>) => void };

/**
 * What the page remembers when it is hidden or the window reloads. `schema` gives every field a default. The panel's
 * name, which the host wrote into the page, is kept beside it: by it the host finds what the panel showed.
 */
export function keptState<State extends object>(schema: z.ZodType<State>): KeptState<State> {
  const parsed = schema.safeParse(editor().getState() ?? {});
  let value = parsed.success ? parsed.data : schema.parse({});
  // The host finds by it what this panel showed when the window comes back after a reload.
  const { panel } = document.body.dataset;
  const keep = () => editor().setState({ ...value, panel });
  keep();
  return {
    get value() {
      return value;
    },
    change: (part) => {
      value = { ...value, ...part };
      keep();
    },
  };
}

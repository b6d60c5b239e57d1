import type * as z from 'zod';

/** The part of a webview that carries messages. */
export interface PageTransport {
  postMessage(message: unknown): PromiseLike<boolean>;
  onDidReceiveMessage(listener: (message: unknown) => void): { dispose(): unknown };
}

export interface PageListener<FromPage> {
  readonly schema: z.ZodType<FromPage>;
  /** Called whenever a page begins anew: says everything that it shall show. */
  readonly replay: () => void;
  readonly receive: (message: Exclude<FromPage, { type: 'ready' }>) => void;
  /** Hears of what does not fit the protocol. */
  readonly onMisfit: (reason: string) => void;
}

/** A page as its host talks to it. */
export interface PageConnection<ToPage> {
  /** Sends to a page that listens, and returns whether there is one; for any other nothing is lost, since `replay` says all. */
  readonly post: (message: ToPage) => boolean;
  /** The page was hidden and with that ended: until it says `ready` again there is nobody to send to. */
  sleep(): void;
  dispose(): void;
}

/** Connects a host with its page: what comes is checked, and nothing is sent before the page has said `ready`. */
export function connectPage<ToPage, FromPage extends { readonly type: string }>(
  transport: PageTransport,
  { schema, replay, receive, onMisfit }: PageListener<FromPage>,
): PageConnection<ToPage> {
  let awake = false;
  const isReady = (message: FromPage): message is Extract<FromPage, { type: 'ready' }> => message.type === 'ready';
  const listening = transport.onDidReceiveMessage((raw) => {
    const parsed = schema.safeParse(raw);
    if (!parsed.success) {
      onMisfit(parsed.error.message);
    } else if (isReady(parsed.data)) {
      awake = true;
      replay();
    } else {
      receive(parsed.data as Exclude<FromPage, { type: 'ready' }>);
    }
  });
  return {
    post: (message) => {
      if (awake) void transport.postMessage(message);
      return awake;
    },
    sleep: () => {
      awake = false;
    },
    dispose: () => {
      awake = false;
      listening.dispose();
    },
  };
}

/** Items are gathered over this time, in milliseconds: soon enough for eyes, and seldom enough for a page to draw. */
const interval = 50;

/** Hands items over together, a moment after the first of them came. */
export interface GatheredMessages<Item> {
  readonly add: (item: Item) => void;
  /** Hands over what there is now. */
  readonly flush: () => void;
  /** Forgets what was not handed over. */
  readonly clear: () => void;
}

export function gatherMessages<Item>(handOver: (items: readonly Item[]) => void): GatheredMessages<Item> {
  let items: Item[] = [];
  let timer: NodeJS.Timeout | undefined;
  const clear = () => {
    clearTimeout(timer);
    timer = undefined;
    items = [];
  };
  const flush = () => {
    const gathered = items;
    clear();
    if (gathered.length > 0) handOver(gathered);
  };
  return {
    add: (item) => {
      items.push(item);
      timer ??= setTimeout(flush, interval);
    },
    flush,
    clear,
  };
}

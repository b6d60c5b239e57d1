/** Maps items one ahead of the one in use, so that the mapping overlaps with what is done with its results. */
export async function* mapAhead<Item, Result>(
  items: AsyncIterable<Item>,
  compute: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  let pending: Promise<Result> | undefined;
  try {
    for await (const item of items) {
      const ready = pending;
      pending = compute(item);
      // Its failure is thrown where its result is asked for.
      pending.catch(() => undefined);
      if (ready) yield await ready;
    }
    if (pending) yield await pending;
  } finally {
    await pending?.catch(() => undefined);
  }
}

import { element } from './element.ts';
import { everyFrame } from './everyFrame.ts';
import { keepScroll, type KeepScrollOptions } from './keepScroll.ts';
import { scrolledTo, visibleRows } from './visibleRows.ts';

export type VirtualListOptions<Item> = {
  label: string;
  /** Pixels. */
  rowHeight: number;
  key: (item: Item) => string;
  row: (item: Item) => HTMLElement;
  onSelect: (item: Item) => void;
  /** Enter or a double click. */
  onOpen: (item: Item) => void;
  /** The Delete key. */
  onDelete: (item: Item) => void;
  /** What the editor's context menu is to know of an item: see `menuContext`. */
  context: (item: Item) => Record<string, string>;
  /** How far the list was scrolled when its page was left. */
  scroll: Omit<KeepScrollOptions, 'place'>;
};

export type VirtualList<Item> = {
  element: HTMLElement;
  /**
   * Shows these items in this order; of the rows only those in sight are built. With `reveal`, another selected row than
   * before is scrolled to.
   */
  show: (items: readonly Item[], selected: string | undefined, reveal: boolean) => void;
};

let lists = 0;

/** A list box for thousands of rows: arrows, page keys, Home and End move the selection; a right click selects, too. */
export function virtualList<Item>(options: VirtualListOptions<Item>): VirtualList<Item> {
  const { rowHeight, key } = options;
  const id = `list-${++lists}`;
  const space = element('div', { class: 'list-space', role: 'presentation' });
  const box = element('div', { class: 'list', role: 'listbox', tabindex: 0, 'aria-label': options.label }, [space]);
  const scroll = keepScroll({ place: box, ...options.scroll });
  let items: readonly Item[] = [];
  let selected = -1;
  let selectedKey: string | undefined;
  /** Whether the next drawing scrolls to the selected row. */
  let reveal = false;

  const draw = everyFrame(() => {
    space.style.height = `${items.length * rowHeight}px`;
    if (reveal && selected >= 0 && !scroll.pending)
      box.scrollTop = scrolledTo(selected, rowHeight, box.scrollTop, box.clientHeight);
    reveal = false;
    const { first, end } = visibleRows(items.length, rowHeight, box.scrollTop, box.clientHeight);
    space.replaceChildren(...items.slice(first, end).map((item, offset) => place(item, first + offset)));
    const active = selected >= first && selected < end;
    if (active) box.setAttribute('aria-activedescendant', `${id}-${selected}`);
    else box.removeAttribute('aria-activedescendant');
    // A menu that the keyboard opens is that of the list, which has the focus.
    const item = items[selected];
    for (const [name, value] of Object.entries(item === undefined ? {} : options.context(item))) {
      box.setAttribute(name, value);
    }
  });

  const place = (item: Item, index: number): HTMLElement => {
    const row = options.row(item);
    for (const [name, value] of Object.entries(options.context(item))) row.setAttribute(name, value);
    row.id = `${id}-${index}`;
    row.classList.add('list-row');
    row.setAttribute('role', 'option');
    row.setAttribute('aria-selected', String(index === selected));
    row.setAttribute('aria-posinset', String(index + 1));
    row.setAttribute('aria-setsize', String(items.length));
    row.style.height = `${rowHeight}px`;
    row.style.top = `${index * rowHeight}px`;
    return row;
  };

  const select = (index: number): void => {
    const item = items[index];
    if (item === undefined) return;
    selected = index;
    selectedKey = key(item);
    reveal = true;
    draw();
    options.onSelect(item);
  };

  // By position, as rows are built anew while results come, also between a press and its release.
  const under = (event: MouseEvent) => Math.floor((event.clientY - space.getBoundingClientRect().top) / rowHeight);
  space.addEventListener('click', (event) => select(under(event)));
  space.addEventListener('contextmenu', (event) => select(under(event)));
  space.addEventListener('dblclick', (event) => {
    const item = items[under(event)];
    if (item !== undefined) options.onOpen(item);
  });
  box.addEventListener('scroll', draw, { passive: true });
  new ResizeObserver(draw).observe(box);
  box.addEventListener('keydown', (event) => {
    const page = Math.max(1, Math.floor(box.clientHeight / rowHeight) - 1);
    const target = movedSelection(event.key, selected, items.length, page);
    const item = items[selected];
    if (event.key === 'Enter' && item !== undefined) options.onOpen(item);
    else if (isDelete(event) && item !== undefined) options.onDelete(item);
    else if (target === undefined) return;
    else select(target);
    event.preventDefault();
  });

  return {
    element: box,
    show: (next, wanted, revealed) => {
      items = next;
      reveal ||= revealed && wanted !== selectedKey;
      selectedKey = wanted;
      selected = selectedKey === undefined ? -1 : items.findIndex((item) => key(item) === selectedKey);
      draw();
    },
  };
}

/** On a Mac the key that deletes is ⌘⌫. */
function isDelete({ key, metaKey }: KeyboardEvent): boolean {
  return key === 'Delete' || (metaKey && key === 'Backspace');
}

function movedSelection(pressed: string, selected: number, length: number, page: number): number | undefined {
  const targets: Record<string, number> = {
    ArrowDown: selected + 1,
    ArrowUp: selected - 1,
    PageDown: selected + page,
    PageUp: selected - page,
    Home: 0,
    End: length - 1,
  };
  const target = targets[pressed];
  return target === undefined ? undefined : Math.max(0, Math.min(length - 1, target));
}

import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';
import { back, type QuestionPlace } from './runSteps.ts';
import { visible } from '../../protocol/visibleText.ts';

export interface PickQuestion<Item extends vscode.QuickPickItem> {
  readonly place: QuestionPlace;
  readonly placeholder: string;
  /**
   * Shown as they come: `show` may be called again with more. It draws the list anew, which can swallow a click, so what
   * changes often is said by `note`, behind the placeholder, and rows keep their places where they can.
   */
  readonly items: (show: (items: readonly Item[]) => void, note: (text: string) => void) => Promise<void>;
  /** The item that is chosen by Enter alone. */
  readonly active?: (item: Item) => boolean;
  /** Called for a chosen item; `false` leaves the list open. */
  readonly accept?: (item: Item) => boolean;
}

/** Milliseconds in which a row that came into another's place is not taken: the hand meant the row that was there. */
const handPatience = 300;

/** A single question has no number. */
function shownPlace({ title, step, totalSteps }: QuestionPlace) {
  return { title: visible(title), ...(totalSteps > 1 ? { step, totalSteps } : {}) };
}

/** A list to pick from, with a back button after the first question. Rejects with what `items` rejects with, and with a cancellation on Escape. */
export function pickItem<Item extends vscode.QuickPickItem>(question: PickQuestion<Item>): Promise<Item | typeof back> {
  const { place, placeholder, items, active, accept } = question;
  const list = vscode.window.createQuickPick<Item>();
  Object.assign(list, {
    ...shownPlace(place),
    placeholder,
    busy: true,
    ignoreFocusOut: true,
    matchOnDescription: true,
    keepScrollPosition: true,
  });
  if (place.step > 1) list.buttons = [vscode.QuickInputButtons.Back];
  /** The rows that the last `show` put into the places of others, and when. */
  let moved: { readonly items: ReadonlySet<Item>; readonly time: number } = { items: new Set(), time: 0 };
  const isUnderTheHand = (item: Item) => moved.items.has(item) && performance.now() - moved.time < handPatience;
  const result = new Promise<Item | typeof back>((resolve, reject) => {
    list.onDidTriggerButton(() => resolve(back));
    list.onDidHide(() => reject(cancelled()));
    list.onDidAccept(() => {
      const [item] = list.selectedItems;
      if (item === undefined || isUnderTheHand(item)) return;
      if (accept === undefined || accept(item)) resolve(item);
    });
    const show = (shown: readonly Item[]): void => {
      const [before] = list.activeItems;
      moved = { items: new Set(movedRows(list.items, shown, before)), time: performance.now() };
      // A list that changes leaves the user where they are.
      list.keepScrollPosition = before !== undefined;
      list.items = shown;
      const preferred = shown.find(({ label }) => label === before?.label) ?? (active && shown.find(active));
      if (preferred !== undefined) list.activeItems = [preferred];
    };
    const note = (text: string): void => {
      list.placeholder = text === '' ? placeholder : `${placeholder} (${text})`;
    };
    items(show, note).then(() => (list.busy = false), reject);
  });
  list.show();
  return result.finally(() => list.dispose());
}

/** Rows that lie where others lay; not the active one, which Enter means wherever it lies. */
function movedRows<Item extends vscode.QuickPickItem>(
  before: readonly Item[],
  now: readonly Item[],
  active: Item | undefined,
): Item[] {
  return now.filter((row, at) => {
    const there = before[at];
    return there !== undefined && wordsOf(there) !== wordsOf(row) && row.label !== active?.label;
  });
}

/** A label without its icon, which may change under the hand. */
function wordsOf({ label }: vscode.QuickPickItem): string {
  return label.replace(/^\$\([^)]*\) /u, '');
}

export interface TickQuestion<Item extends vscode.QuickPickItem> {
  readonly place: QuestionPlace;
  readonly placeholder: string;
  readonly items: readonly Item[];
  readonly ticked: (item: Item) => boolean;
  /** What is wrong with the ticked items; undefined where nothing is. */
  readonly validate: (items: readonly Item[]) => string | undefined;
}

/** A list in which several items can be ticked, with a back button after the first question. Rejects with a cancellation on Escape. */
export function tickItems<Item extends vscode.QuickPickItem>(
  question: TickQuestion<Item>,
): Promise<readonly Item[] | typeof back> {
  const { place, placeholder, items, ticked, validate } = question;
  const list = vscode.window.createQuickPick<Item>();
  Object.assign(list, { ...shownPlace(place), placeholder, canSelectMany: true, ignoreFocusOut: true });
  if (place.step > 1) list.buttons = [vscode.QuickInputButtons.Back];
  list.items = items;
  list.selectedItems = items.filter(ticked);
  const result = new Promise<readonly Item[] | typeof back>((resolve, reject) => {
    list.onDidTriggerButton(() => resolve(back));
    list.onDidHide(() => reject(cancelled()));
    list.onDidAccept(() => {
      const problem = validate(list.selectedItems);
      if (problem === undefined) resolve(list.selectedItems);
      else list.placeholder = problem;
    });
  });
  list.show();
  return result.finally(() => list.dispose());
}

export interface InputQuestion {
  readonly place: QuestionPlace;
  readonly prompt: string;
  readonly value: string;
  /** What is wrong with a value; undefined where nothing is. */
  readonly validate: (value: string) => string | undefined;
}

/** A line to type, with a back button after the first question. Rejects with a cancellation on Escape. */
export function askLine({ place, prompt, value, validate }: InputQuestion): Promise<string | typeof back> {
  const input = vscode.window.createInputBox();
  Object.assign(input, {
    ...shownPlace(place),
    prompt,
    value,
    ignoreFocusOut: true,
    buttons: place.step > 1 ? [vscode.QuickInputButtons.Back] : [],
  });
  const check = (): boolean => {
    const problem = validate(input.value.trim());
    input.validationMessage = problem ?? '';
    return problem === undefined;
  };
  const result = new Promise<string | typeof back>((resolve, reject) => {
    input.onDidTriggerButton(() => resolve(back));
    input.onDidHide(() => reject(cancelled()));
    input.onDidChangeValue(check);
    input.onDidAccept(() => {
      if (check()) resolve(input.value.trim());
    });
  });
  input.show();
  return result.finally(() => input.dispose());
}

/** A whole number to type, from 1 to `most`; else as `askLine`. */
export async function askNumber(
  place: QuestionPlace,
  prompt: string,
  { value, most }: { readonly value: number; readonly most: number },
): Promise<number | typeof back> {
  const answer = await askLine({
    place,
    prompt,
    value: String(value),
    validate: (text) =>
      /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= most
        ? undefined
        : l10n.t('A whole number from 1 to {0}.', most.toLocaleString('en')),
  });
  return answer === back ? back : Number(answer);
}

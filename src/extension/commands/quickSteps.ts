import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';

/** What a step gives back where the user wants to see the one before. */
export const back = Symbol('back');

/** Where a step stands in its row of questions. */
export interface Place {
  readonly title: string;
  readonly step: number;
  readonly totalSteps: number;
}

/** Asks one question and returns what is known after it; `undefined` where it has nothing to ask. */
export type Step<State> = (state: State, place: Place) => Promise<State | typeof back | undefined>;

/**
 * Asks the questions in turn, from `begin` on; *Back* returns to the last one that was asked, and before `begin` to the
 * one before. Throws a cancellation on Escape.
 */
export async function runSteps<State>(
  title: string,
  first: State,
  steps: readonly Step<State>[],
  begin = 0,
): Promise<State> {
  /** What was known before each question that was asked. */
  const asked: { readonly index: number; readonly state: State }[] = [];
  let state = first;
  let index = begin;
  /** Questions that have nothing to ask are passed over in the direction in which the user goes. */
  let forward = true;
  for (let step = steps[index]; step !== undefined; step = steps[index]) {
    const result = await step(state, { title, step: index + 1, totalSteps: steps.length });
    if (result === back) {
      const before = asked.pop();
      forward = before !== undefined;
      if (before === undefined) index = Math.max(0, index - 1);
      else ({ index, state } = before);
    } else {
      if (result !== undefined) {
        asked.push({ index, state });
        state = result;
        forward = true;
      }
      if (index === 0) forward = true;
      index += forward ? 1 : -1;
    }
  }
  return state;
}

export interface PickQuestion<Item extends vscode.QuickPickItem> {
  readonly place: Place;
  readonly placeholder: string;
  /** Shown as they come: `show` may be called again with more. */
  readonly items: (show: (items: readonly Item[]) => void) => Promise<void>;
  /** The item that is chosen by Enter alone. */
  readonly active?: (item: Item) => boolean;
  /** Called for a chosen item; `false` leaves the list open. */
  readonly accept?: (item: Item) => boolean;
}

/** A list to pick from, with a back button. Rejects with what `items` rejects with, and with a cancellation on Escape. */
export function pickItem<Item extends vscode.QuickPickItem>(question: PickQuestion<Item>): Promise<Item | typeof back> {
  const { place, placeholder, items, active, accept } = question;
  const list = vscode.window.createQuickPick<Item>();
  Object.assign(list, { ...place, placeholder, busy: true, ignoreFocusOut: true, matchOnDescription: true });
  if (place.step > 1) list.buttons = [vscode.QuickInputButtons.Back];
  const result = new Promise<Item | typeof back>((resolve, reject) => {
    list.onDidTriggerButton(() => resolve(back));
    list.onDidHide(() => reject(cancelled()));
    list.onDidAccept(() => {
      const [item] = list.selectedItems;
      if (item !== undefined && (accept === undefined || accept(item))) resolve(item);
    });
    const show = (shown: readonly Item[]): void => {
      list.items = shown;
      const preferred = active && shown.find(active);
      if (preferred !== undefined) list.activeItems = [preferred];
    };
    items(show).then(() => (list.busy = false), reject);
  });
  list.show();
  return result.finally(() => list.dispose());
}

export interface InputQuestion {
  readonly place: Place;
  readonly prompt: string;
  readonly value: string;
  /** What is wrong with a value; undefined where nothing is. */
  readonly validate: (value: string) => string | undefined;
}

/** A line to type, with a back button. Rejects with a cancellation on Escape. */
export function askLine({ place, prompt, value, validate }: InputQuestion): Promise<string | typeof back> {
  const input = vscode.window.createInputBox();
  Object.assign(input, { ...place, prompt, value, ignoreFocusOut: true, buttons: [vscode.QuickInputButtons.Back] });
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

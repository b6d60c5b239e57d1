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

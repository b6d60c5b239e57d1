/** What a step gives back where the user wants to see the one before. */
export const back = Symbol('back');

/** Where a question stands among those that are asked. */
export interface QuestionPlace {
  readonly title: string;
  /** From 1 on. */
  readonly step: number;
  readonly totalSteps: number;
}

/** A question that asks for a part of what is to be known. */
export function stepOf<State, Part>(
  { applies, ask }: Step<Part>,
  partOf: (state: State) => Part,
  withPart: (state: State, part: Part) => State,
): Step<State> {
  return {
    applies: (state) => applies(partOf(state)),
    ask: async (state, place) => {
      const answer = await ask(partOf(state), place);
      return answer === back ? back : withPart(state, answer);
    },
  };
}

/** A question. */
export interface Step<State> {
  /** Whether there is anything to ask. */
  readonly applies: (state: State) => boolean;
  /** Asks, and returns what is known after it. */
  readonly ask: (state: State, place: QuestionPlace) => Promise<State | typeof back>;
}

/** The place of the question that comes after all `steps`. */
export function placeAfter<State>(title: string, steps: readonly Step<State>[], state: State): QuestionPlace {
  const asked = steps.filter(({ applies }) => applies(state)).length + 1;
  return { title, step: asked, totalSteps: asked };
}

/** The place among `steps` of the last that applies; 0 where none does. */
export function lastStep<State>(steps: readonly Step<State>[], state: State): number {
  return Math.max(
    0,
    steps.findLastIndex(({ applies }) => applies(state)),
  );
}

/**
 * Asks the questions that apply in turn, from the `begin`th on; *Back* returns to the one before. One more question comes
 * after them, which counts in their places. Throws a cancellation on Escape.
 */
export async function runSteps<State>(
  title: string,
  first: State,
  steps: readonly Step<State>[],
  begin = 0,
): Promise<State> {
  /** What was known before a question was asked. */
  const known = new Map<number, State>();
  let state = first;
  let index = begin;
  for (let step = steps[index]; step !== undefined; step = steps[index]) {
    if (!step.applies(state)) {
      index++;
      continue;
    }
    const { totalSteps } = placeAfter(title, steps, state);
    const before = steps.slice(0, index).filter(({ applies }) => applies(state)).length;
    const answer = await step.ask(state, { title, step: before + 1, totalSteps });
    if (answer === back) {
      index = lastStep(steps.slice(0, index), state);
      state = known.get(index) ?? state;
    } else {
      known.set(index, state);
      state = answer;
      index++;
    }
  }
  return state;
}

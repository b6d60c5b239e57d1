import { compareScores, rungsOf, type Score, type Standing } from './halving.ts';
import { withRecipe } from './recipes.ts';
import { type FailureCause, parseSweepSpace, type Sweep, type TrialEvent } from './sweep.ts';
import { givenConfigSchema } from './trainingConfig.ts';

/** A trial as it stands. */
export interface TrialStanding extends Partial<Score> {
  readonly trial: number;
  readonly settings: Sweep['trials'][number];
  readonly run?: string;
  readonly state: 'waiting' | 'begun' | 'behind' | 'finished' | 'failed';
  /** Epochs after which the score was taken. */
  readonly epochs?: number;
  /** The score after the first rung, which every trial that goes on or falls behind has. */
  readonly first?: Score & { readonly epochs: number };
  readonly reason?: string;
  /** Why it failed, where that is known. */
  readonly cause?: FailureCause;
}

/** The rungs of a recorded sweep. Throws a user error where its space is none. */
export function rungsOfSweep({ space, trials }: Pick<Sweep, 'space' | 'trials'>): number[] {
  const { fixed, halving } = parseSweepSpace(space);
  // Where the sweep halves, all trials have as many; where not, there is one rung.
  for (const drawn of trials.length > 0 ? trials : [{}]) {
    const config = givenConfigSchema.safeParse(withRecipe({ ...fixed, ...drawn }));
    if (config.success) return rungsOf(halving, config.data.epochs);
  }
  return rungsOf(halving, 1);
}

/** What events say of the jobs of a sweep. */
export function standingOf(trials: number, events: readonly TrialEvent[]): Standing {
  return {
    trials,
    begun: events.filter((event) => event.event === 'begun'),
    reached: events.filter((event) => event.event === 'reached'),
    failed: events.filter((event) => event.event === 'failed'),
  };
}

/** The trials of a sweep, best first; those without a score come last, in the order of their numbers. */
export function trialStandings(
  { trials }: Pick<Sweep, 'trials'>,
  events: readonly TrialEvent[],
  rungs: readonly number[],
): TrialStanding[] {
  const eventsOf = new Map<number, TrialEvent[]>();
  for (const event of events) {
    const own = eventsOf.get(event.trial);
    if (own) own.push(event);
    else eventsOf.set(event.trial, [event]);
  }
  const standings = trials.map((settings, index) =>
    trialStanding(index + 1, settings, eventsOf.get(index + 1) ?? [], rungs),
  );
  const rank = ({ accuracy = -1, loss = Infinity }: TrialStanding): Score => ({ accuracy, loss });
  return standings.sort((a, b) => compareScores(rank(a), rank(b)) || a.trial - b.trial);
}

function trialStanding(
  trial: number,
  settings: Sweep['trials'][number],
  events: readonly TrialEvent[],
  rungs: readonly number[],
): TrialStanding {
  const run = events.find((event) => event.event === 'begun')?.run;
  const failed = events.find((event) => event.event === 'failed');
  const reached = events.findLast((event) => event.event === 'reached');
  const first = events.find((event) => event.event === 'reached' && event.rung === 0);
  const begun = events.findLast((event) => event.event === 'begun');
  const facts = {
    ...{ trial, settings },
    ...(run === undefined ? {} : { run }),
    ...(reached ? { accuracy: reached.accuracy, loss: reached.loss, epochs: reached.epochs } : {}),
    ...(first?.event === 'reached'
      ? { first: { accuracy: first.accuracy, loss: first.loss, epochs: first.epochs } }
      : {}),
  };
  if (failed?.event === 'failed') {
    const { reason, cause } = failed;
    return { ...facts, state: 'failed', reason, ...(cause === undefined ? {} : { cause }) };
  }
  if (!begun) return { ...facts, state: 'waiting' };
  if (reached?.rung !== begun.rung) return { ...facts, state: 'begun' };
  return { ...facts, state: reached.rung === rungs.length - 1 ? 'finished' : 'behind' };
}

import type { Halving } from './sweep.ts';

/** How good a trial is: by validation accuracy, then by validation loss. */
export interface Score {
  readonly accuracy: number;
  readonly loss: number;
}

/** A trial and how far it is to be trained: to the epochs of `rungs[rung]`. */
export interface Job {
  readonly trial: number;
  readonly rung: number;
}

/** What is known of a sweep's trials, which have the numbers 1 to `trials`. */
export interface Standing {
  readonly trials: number;
  /** Jobs that were begun, those that ended among them. */
  readonly begun: readonly Job[];
  readonly reached: readonly (Job & Score)[];
  readonly failed: readonly Job[];
}

/** The numbers of epochs after which a trial's score is looked at; the last is all of them. */
export function rungsOf(halving: Halving | undefined, epochs: number): number[] {
  const rungs: number[] = [];
  if (halving) for (let at = halving.first; at < epochs; at *= halving.factor) rungs.push(at);
  return [...rungs, epochs];
}

/** Below 0 where `a` is the better one. */
export function compareScores(a: Score, b: Score): number {
  return b.accuracy - a.accuracy || a.loss - b.loss;
}

/**
 * What a free worker does next, by asynchronous successive halving (Li et al. 2020, algorithm 2): from the highest rung
 * down, the best trial that is among the best 1/`factor` of its rung and has not been promoted; where there is none, a new
 * trial. A job that was begun and did not end, because its process was killed, comes first. If all that is done and no
 * trial was trained to the end, because there are too few for that share of them, the best one goes on to it. Undefined
 * where nothing is to be done, for good or until a trial that runs has ended; `running` are those, whether `begun` has them
 * yet or not.
 */
export function nextJob(standing: Standing, rungs: number, factor: number, running: readonly Job[]): Job | undefined {
  const { begun, reached, failed, trials } = standing;
  const settled = new Set([...reached, ...failed, ...running].map(keyOf));
  const open = begun.find((job) => !settled.has(keyOf(job)));
  if (open) return { trial: open.trial, rung: open.rung };
  const started = new Set([...begun, ...running].map(keyOf));
  const promotion = (share: number): Job | undefined => {
    for (let rung = rungs - 2; rung >= 0; rung--) {
      const there = reached.filter((job) => job.rung === rung).sort(compareScores);
      const best = there.slice(0, Math.floor(there.length * share));
      const promoted = best.find(({ trial }) => !started.has(keyOf({ trial, rung: rung + 1 })));
      if (promoted) return { trial: promoted.trial, rung: rung + 1 };
    }
    return undefined;
  };
  const promoted = promotion(1 / factor);
  if (promoted) return promoted;
  const known = new Set([...begun, ...running].map(({ trial }) => trial));
  for (let trial = 1; trial <= trials; trial++) if (!known.has(trial)) return { trial, rung: 0 };
  const isOver = running.length === 0 && !reached.some(({ rung }) => rung === rungs - 1);
  return isOver ? promotion(1) : undefined;
}

function keyOf({ trial, rung }: Job): string {
  return `${trial} ${rung}`;
}

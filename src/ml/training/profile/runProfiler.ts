import type { ModelProfile, RunProfile } from '../../../protocol/runProfile.ts';
import { runProfileVersion } from '../../../protocol/runProfile.ts';
import type { Loader } from '../../data/loader.ts';
import type { Engine, ProfileObserver, SessionProfile } from '../../engine/engine.ts';
import { modelProfile } from './modelProfile.ts';
import type { Stepper } from '../loop/stepper.ts';

/** The first runs of a model allocate and tune. */
const warmup = 2;

/** What a profile is of. */
type ProfileFacts = Pick<RunProfile, 'engine' | 'device' | 'network' | 'method' | 'batchSize'>;

/** Watches the first steps of a run and says where their time went. */
export interface RunProfiler {
  /** The engine for one part of the run, watched where it can be. */
  engineFor(engine: Engine, part: ModelProfile['part']): Engine;
  /** The same loader, whose receiver's waiting is timed. */
  loader(loader: Loader): Loader;
  /** The same stepper; the end of each of its steps is the end of a step of the profile. */
  stepper(stepper: Stepper): Stepper;
  validating<Result>(work: () => Promise<Result>): Promise<Result>;
  saving<Result>(work: () => Promise<Result>): Promise<Result>;
  /** What was seen so far. */
  result(facts: ProfileFacts): RunProfile;
}

/** Steps that are watched beyond those that count: what is frozen runs ahead. */
const ahead = 2;
/** A batch goes through a model in up to so many parts: images a few at a time, or micro-batches. */
const mostParts = 64;

/** One step's clock readings, in seconds. */
interface StepTimes {
  seconds: number;
  images: number;
  /** Whether a validation or a save lay in it, which is not what a step costs. */
  interrupted: boolean;
}

/**
 * A profiler of `steps` steps after the warm-up; `folder` takes the engine's traces while they are read. The runs
 * of all sessions come one after the other, so the engine's times of a step's runs can be added up.
 */
export function createRunProfiler(
  steps: number,
  folder: string,
  now: () => number = () => performance.now() / 1000,
): RunProfiler {
  const seen: Seen[] = [];
  const times: StepTimes[] = [];
  const validation: Sums = { count: 0, seconds: 0 };
  const saving: Sums = { count: 0, seconds: 0 };
  let validationSeen = false;
  let open: StepTimes = { seconds: 0, images: 0, interrupted: false };
  let began = now();

  const watched = warmup + steps + ahead;
  const observer = (part: ModelProfile['part']): ProfileObserver => ({
    runs: part === 'validation' ? watched : watched * mostParts,
    warmup,
    folder,
    // Each validation compiles its model anew; one of them is enough.
    wants: () => part !== 'validation' || !validationSeen,
    enough: () => part !== 'validation' && times.length >= watched,
    now: () => times.length,
    seen: (profile) => {
      if (part === 'validation') validationSeen = true;
      seen.push({ part, profile });
    },
  });
  const timed = async <Result>(sums: Sums, work: () => Promise<Result>) => {
    open.interrupted = true;
    const start = now();
    const result = await work();
    sums.count++;
    sums.seconds += now() - start;
    return result;
  };

  return {
    engineFor: (engine, part) => engine.profiled?.(observer(part)) ?? engine,
    loader: (loader) => ({
      ...loader,
      epoch: async function* (...place) {
        const batches = loader.epoch(...place);
        try {
          for (;;) {
            const start = now();
            const next = await batches.next();
            open.images += now() - start;
            if (next.done === true) return;
            yield next.value;
          }
        } finally {
          await batches.return();
        }
      },
    }),
    stepper: (stepper) => ({
      get microBatchSize() {
        return stepper.microBatchSize;
      },
      get step() {
        return stepper.step;
      },
      take: async (...batch) => {
        const result = await stepper.take(...batch);
        const end = now();
        times.push({ ...open, seconds: end - began });
        open = { seconds: 0, images: 0, interrupted: false };
        began = end;
        return result;
      },
      lend: (wanted, use) => stepper.lend(wanted, use),
      enter: (epoch) => stepper.enter(epoch),
      dispose: () => stepper.dispose(),
    }),
    validating: (work) => timed(validation, work),
    saving: (work) => timed(saving, work),
    result: (facts) => ({ ...facts, ...summary({ steps, seen, times, validation, saving }) }),
  };
}

/** How often something was done, and how long it took in all. */
interface Sums {
  count: number;
  seconds: number;
}

interface Seen {
  readonly part: ModelProfile['part'];
  readonly profile: SessionProfile;
}

interface Readings {
  readonly steps: number;
  readonly seen: readonly Seen[];
  readonly times: readonly StepTimes[];
  readonly validation: Sums;
  readonly saving: Sums;
}

/** The readings per step: a step counts if all of its runs were watched and nothing else lay in it. */
function summary({ steps, seen, times, validation, saving }: Readings): Omit<RunProfile, keyof ProfileFacts> {
  const ends = seen.flatMap(({ part, profile: { unwatchedFrom } }) =>
    unwatchedFrom === undefined || part === 'validation' ? [] : [unwatchedFrom],
  );
  const counted = times
    .map((time, moment) => ({ ...time, moment }))
    .slice(warmup, Math.min(warmup + steps, ...ends))
    .filter(({ interrupted }) => !interrupted);
  const moments = new Set(counted.map(({ moment }) => moment));
  const mean = (sum: number) => sum / Math.max(1, counted.length);
  const engineTime = (wanted: ModelProfile['part']) => mean(secondsAt(moments, seen, wanted));
  const parts = {
    seconds: mean(counted.reduce((sum, time) => sum + time.seconds, 0)),
    images: mean(counted.reduce((sum, time) => sum + time.images, 0)),
    frozenNetwork: engineTime('frozen network'),
    trainingStep: engineTime('training step'),
  };
  const known = parts.images + parts.frozenNetwork + parts.trainingStep;
  return {
    version: runProfileVersion,
    warmupSteps: warmup,
    steps: counted.length,
    step: { ...parts, other: Math.max(0, parts.seconds - known) },
    validation: meanOf(validation),
    saving: meanOf(saving),
    models: seen.map(({ part, profile }) => modelProfile(part, profile)),
  };
}

/** Seconds that the models of one part of the run took in the steps given. */
function secondsAt(steps: ReadonlySet<number>, seen: readonly Seen[], wanted: ModelProfile['part']): number {
  return seen
    .filter(({ part }) => part === wanted)
    .flatMap(({ profile }) => profile.runs)
    .reduce((sum, run) => sum + (steps.has(run.moment) ? run.seconds : 0), 0);
}

function meanOf({ count, seconds }: Sums): Sums {
  return { count, seconds: seconds / Math.max(1, count) };
}

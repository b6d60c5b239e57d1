import * as z from 'zod';
import { count } from '../../protocol/bounded.ts';
import { messageOf, userError } from '../../protocol/errors.ts';
import { type Dimension, type OptunaSampler, type Sweep, sweepFiles, type TrialEvent } from '../../protocol/sweep.ts';
import { writeSweep } from '../../runs/sweep.ts';
import type { OptunaCommand } from '../sweep/optunaCommand.ts';
import { distributionsOf, settingsOf } from '../sweep/optunaSpace.ts';
import type { LearningSampler, PlannedTrial } from './runSweep.ts';

/** What `optuna ask` answers. */
const answerSchema = z.object({ number: count(), params: z.record(z.string(), z.unknown()) });

/** The one study in the file of a sweep. */
const study = ['--storage', `sqlite:///${sweepFiles.optuna}`, '--study-name', 'sweep'];

export interface OptunaSweep {
  /** Folder of the sweep, in which `optuna` runs. */
  readonly folder: string;
  readonly sweep: Sweep;
  readonly sampler: OptunaSampler;
  readonly dimensions: readonly Dimension[];
  readonly seed: number;
  /** Most epochs of a trial. */
  readonly epochs: number;
  /** Settings of a trial as they are trained, checked. */
  readonly planned: (drawn: Sweep['trials'][number]) => PlannedTrial;
}

/**
 * The trials of a sweep as Optuna chooses them: each is asked for when it is to begin, and told how it did, before the next is
 * asked for. What was asked and told is in `sweep.json` before anything follows from it, so a process that was killed in
 * between costs a trial that Optuna is told has failed, at most.
 */
export function optunaSampler(
  { folder, sweep, sampler, dimensions, seed, epochs, planned }: OptunaSweep,
  optuna: OptunaCommand,
): LearningSampler {
  let now = sweep;
  const asked = () => now.optuna?.asked ?? [];
  const write = async (changes: Pick<Sweep, 'trials'> | object, questions: readonly Question[]) => {
    now = { ...now, ...changes, optuna: { trials: now.optuna?.trials ?? 0, asked: [...questions] } };
    await writeSweep(folder, now);
  };
  const tell = async (number: number, result: readonly string[]) => {
    await optuna(['tell', ...study, '--trial-number', String(number), ...result, '--skip-if-finished']);
  };
  const tellAll = async (events: readonly TrialEvent[]) => {
    for (const [place, { number, told }] of asked().entries()) {
      const result = told ? undefined : resultOf(place + 1, events);
      if (result === undefined) continue;
      await tell(number, result);
      await write({}, asked().with(place, { number, told: true }));
    }
  };
  const ask = async () => {
    const kwargs = JSON.stringify(samplerOptions(sampler, seed, asked().length));
    const space = JSON.stringify(distributionsOf(dimensions));
    const flags = ['--sampler', sampler.optuna, '--sampler-kwargs', kwargs, '--search-space', space];
    const answer = await optuna(['ask', ...study, ...flags]).catch((error: unknown) => {
      throw withoutSampler(error, sampler.optuna);
    });
    const { number, settings } = readAnswer(answer, dimensions);
    const last = asked().at(-1)?.number ?? -1;
    if (number <= last)
      throw userError(`${sweepFiles.optuna} in ${folder} is not the one that this sweep began with: restore it.`);
    // Those in between were asked for by a process that was killed before it could take note of them.
    for (let lost = last + 1; lost < number; lost++) await tell(lost, ['--state', 'fail']);
    await write({ trials: [...now.trials, settings] }, [...asked(), { number, told: false }]);
  };
  let begun = false;
  const begin = async () => {
    if (!begun) await optuna(['create-study', ...study, '--direction', 'maximize', '--skip-if-exists']);
    begun = true;
  };
  const known = (trial: number) => {
    const drawn = now.trials[trial - 1];
    return drawn && planned(drawn);
  };
  // One after the other: trials are numbered in the order in which they are asked for.
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  };
  return {
    trials: sweep.optuna?.trials ?? 0,
    epochs,
    known,
    drawn: (trial) => now.trials[trial - 1],
    choose: (trial, events) =>
      inTurn(async () => {
        if (known(trial)) return;
        await begin();
        await tellAll(events);
        // Where the question for a trial before it failed, that one is asked for first: else it would get these settings.
        while (now.trials.length < trial) await ask();
      }),
    finish: (events) =>
      inTurn(async () => {
        await begin();
        await tellAll(events);
      }),
  };
}

type Question = NonNullable<Sweep['optuna']>['asked'][number];

/** How a trial did, as arguments of `optuna tell`; undefined until that is known. */
function resultOf(trial: number, events: readonly TrialEvent[]): readonly string[] | undefined {
  const own = events.filter((event) => event.trial === trial);
  // The first rung is the only one that all trials reach, so that their accuracies there are compared after as many epochs.
  const first = own.find((event) => event.event === 'reached' && event.rung === 0);
  if (first?.event === 'reached') return ['--values', String(first.accuracy), '--state', 'complete'];
  // One that failed in passing may be trained once more.
  const failed = own.some((event) => event.event === 'failed' && event.cause !== 'passing');
  return failed ? ['--state', 'fail'] : undefined;
}

/** Each question is asked by a new process: with one seed, all would get the first draw of the same sequence. */
function samplerOptions({ optuna, options }: OptunaSampler, seed: number, asked: number): object {
  const ownSeed = optuna === 'QMCSampler' ? seed : seed + asked;
  const parallel = optuna === 'TPESampler' ? { constant_liar: true } : {};
  return { seed: ownSeed, ...parallel, ...options };
}

/** A version that lacks a sampler takes it for a mistake in the whole command line. */
function withoutSampler(error: unknown, name: string): unknown {
  if (!messageOf(error).includes('is not an optuna command')) return error;
  return userError(`The Optuna that is installed has no ${name}: update it (pip install --upgrade optuna).`, error);
}

function readAnswer(answer: string, dimensions: readonly Dimension[]) {
  const line = answer.split('\n').findLast((text) => text.trim().startsWith('{')) ?? '';
  try {
    const { number, params } = answerSchema.parse(JSON.parse(line));
    const settings = settingsOf(dimensions, params);
    if (settings) return { number, settings };
  } catch {
    // Said below.
  }
  throw userError(`optuna ask answered what is no trial of this space: ${answer.trim().slice(0, 200)}`);
}

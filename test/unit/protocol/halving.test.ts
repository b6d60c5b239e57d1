import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { compareScores, type Job, nextJob, rungsOf, type Score, type Standing } from '../../../src/protocol/halving.ts';

interface Simulated {
  readonly trials: number;
  readonly workers: number;
  readonly halving: { readonly first: number; readonly factor: number };
  readonly epochs: number;
  /** Share of the jobs that fail. */
  readonly failing?: number;
  /** After so many jobs that ended, the process is killed, and all that run are lost. */
  readonly killedAfter?: number;
}

/**
 * A sweep whose trials learn at paces of their own, so that one that leads at first may be overtaken, and whose `workers`
 * take jobs that last as long as the epochs that they train. Each job that is taken is held against the paper's algorithm.
 */
function simulate({ trials, workers, halving, epochs, failing = 0, killedAfter }: Simulated) {
  const random = createRandom(11, trials, workers);
  const learners = Array.from({ length: trials }, () => ({ best: random.next(), pace: 0.3 + 0.6 * random.next() }));
  const rungs = rungsOf(halving, epochs);
  const scoreOf = ({ trial, rung }: Job): Score => {
    const { best = 0, pace = 0 } = learners[trial - 1] ?? {};
    const accuracy = best * (1 - pace ** (rung + 1));
    return { accuracy, loss: 1 - accuracy };
  };
  const standing = {
    trials,
    begun: [] as Job[],
    reached: [] as (Job & Score)[],
    failed: [] as Job[],
  } satisfies Standing;
  let running: { job: Job; until: number }[] = [];
  let lost: Job[] = [];
  const begun = new Set<string>();
  let now = 0;
  const trained = new Map<number, number>();
  for (let ended = 0; ; ended++) {
    if (ended === killedAfter) [running, lost] = [[], running.map(({ job }) => job)];
    while (running.length < workers) {
      const jobs = running.map(({ job }) => job);
      const job = nextJob(standing, rungs.length, halving.factor, jobs);
      if (!job) break;
      const again = lost.findIndex(({ trial, rung }) => trial === job.trial && rung === job.rung);
      if (again >= 0) lost.splice(again, 1);
      else {
        assert.equal(lost.length, 0, 'what was lost comes first');
        requireByPaper(job, standing, begun, rungs.length, halving.factor);
        standing.begun.push(job);
        begun.add(`${job.trial} ${job.rung}`);
      }
      const before = job.rung === 0 ? 0 : (rungs[job.rung - 1] ?? 0);
      assert.equal(trained.get(job.trial) ?? 0, before, 'a trial goes on from the rung below');
      running.push({ job, until: now + (rungs[job.rung] ?? 0) - before });
    }
    const [first] = running.sort((a, b) => a.until - b.until);
    if (!first) break;
    now = first.until;
    running = running.slice(1);
    const { job } = first;
    if (random.next() < failing) standing.failed.push(job);
    else {
      standing.reached.push({ ...job, ...scoreOf(job) });
      trained.set(job.trial, rungs[job.rung] ?? 0);
    }
  }
  return { rungs, standing, trained, scoreOf };
}

/**
 * Throws unless a job is what Li et al. 2020, algorithm 2, has next: of the rungs from the top, of the first in which a trial
 * of the best 1/factor is not promoted, the best such trial; a new trial only where there is none. Once all is done and no
 * trial got to the end, the best of the highest rung goes on.
 */
function requireByPaper(
  job: Job,
  { trials, reached }: Standing,
  begun: ReadonlySet<string>,
  rungs: number,
  factor: number,
) {
  const byRung = Array.from({ length: rungs }, (): (Job & Score)[] => []);
  for (const each of reached) byRung[each.rung]?.push(each);
  const promotion = (share: number): Job | undefined => {
    for (let rung = rungs - 2; rung >= 0; rung--) {
      const there = byRung[rung] ?? [];
      const scores = there.map(({ accuracy }) => accuracy).sort((a, b) => b - a);
      const least = scores[Math.floor(there.length * share) - 1] ?? Infinity;
      const candidates = there.filter(({ trial, accuracy }) => accuracy >= least && !begun.has(`${trial} ${rung + 1}`));
      const [best] = candidates.sort(compareScores);
      if (best) return { trial: best.trial, rung: rung + 1 };
    }
    return undefined;
  };
  const known = Array.from({ length: trials }, (_, index) => index + 1).findIndex((trial) => !begun.has(`${trial} 0`));
  const expected = promotion(1 / factor) ?? (known >= 0 ? { trial: known + 1, rung: 0 } : promotion(1));
  assert.deepEqual(job, expected);
}

test('the rungs are the first epochs, each time by the factor, and all epochs', () => {
  assert.deepEqual(rungsOf({ first: 1, factor: 3 }, 27), [1, 3, 9, 27]);
  assert.deepEqual(rungsOf({ first: 2, factor: 4 }, 10), [2, 8, 10]);
  assert.deepEqual(rungsOf({ first: 5, factor: 2 }, 5), [5]);
  assert.deepEqual(rungsOf(undefined, 7), [7]);
});

for (const [what, more] of [
  ['one at a time', { workers: 1 }],
  ['25 at a time, of which some fail, and killed in between', { workers: 25, failing: 0.05, killedAfter: 700 }],
] as const)
  test(`1,000 trials, ${what}: each job is that of the paper, none trains further than its rung, and the best are kept`, () => {
    const sweep = simulate({ trials: 1000, halving: { first: 1, factor: 3 }, epochs: 81, ...more });
    const { rungs, standing, trained, scoreOf } = sweep;
    const failed = new Set(standing.failed.map(({ trial }) => trial));
    for (const [rung] of rungs.entries()) {
      const there = standing.reached.filter((job) => job.rung === rung);
      assert.equal(new Set(there.map(({ trial }) => trial)).size, there.length, 'a trial is trained once to a rung');
      const above = standing.begun.filter((job) => job.rung === rung + 1);
      if (rung + 1 === rungs.length) continue;
      // What was promoted early, among few, may fall behind later (Li et al. 2020, section 3.2).
      assert.ok(above.length >= Math.floor(there.length / 3), `${above.length} of ${there.length} promoted`);
      assert.ok(above.length <= there.length / 3 + 3 * Math.sqrt(there.length), `${above.length} of ${there.length}`);
      const promoted = new Set(above.map(({ trial }) => trial));
      const top = [...there].sort(compareScores).slice(0, Math.floor(there.length / 3));
      for (const { trial } of top) assert.ok(promoted.has(trial), `trial ${trial} is among the best third`);
    }
    assert.equal(
      standing.reached.filter(({ rung }) => rung === 0).length +
        standing.failed.filter(({ rung }) => rung === 0).length,
      1000,
    );
    for (const [trial, epochs] of trained) {
      const highest = Math.max(...standing.reached.filter((job) => job.trial === trial).map(({ rung }) => rung));
      assert.equal(epochs, rungs[highest], `trial ${trial} is trained as far as its rung says`);
    }
    // The best after each rung, if it did not fail, is trained to the end of what was promoted from there.
    for (const rung of [0, 1, 2, 3]) {
      const [best] = standing.reached.filter((job) => job.rung === rung).sort(compareScores);
      const goes =
        best &&
        (standing.reached.some((job) => job.trial === best.trial && job.rung === rung + 1) || failed.has(best.trial));
      assert.ok(goes, `the best after ${rungs[rung] ?? 0} epochs goes on`);
    }
    const finished = standing.reached.filter(({ rung }) => rung === rungs.length - 1).sort(compareScores);
    const final = (trial: number) => scoreOf({ trial, rung: rungs.length - 1 }).accuracy;
    const better = Array.from({ length: 1000 }, (_, index) => index + 1).filter(
      (trial) => final(trial) > final(finished[0]?.trial ?? 0),
    );
    // Some that learn slowly are given up; the one that is taken is among the best all the same.
    assert.ok(better.length < 50, `${better.length} would have been better`);
    const total = [...trained.values()].reduce((sum, epochs) => sum + epochs, 0);
    assert.ok(total < 0.1 * 81 * 1000, `${total} epochs instead of 81,000`);
  });

test('of trials too few for a share of them to reach the end, the best one goes on to it alone', () => {
  for (const workers of [1, 4]) {
    const { rungs, standing, trained } = simulate({ trials: 5, workers, halving: { first: 1, factor: 3 }, epochs: 27 });
    const last = standing.reached.filter(({ rung }) => rung === rungs.length - 1);
    assert.equal(last.length, 1);
    const below = standing.reached.filter(({ rung }) => rung === rungs.length - 2).sort(compareScores);
    assert.equal(last[0]?.trial, below[0]?.trial);
    assert.equal([...trained.values()].filter((epochs) => epochs === 27).length, 1);
  }
});

test('a job that was begun and did not end comes first, and a trial that failed is not trained again', () => {
  const score = { accuracy: 0.5, loss: 1 };
  const job = (trial: number, rung = 0) => ({ trial, rung });
  const standing = {
    ...{ trials: 4, begun: [job(1), job(2), job(3)] },
    ...{ reached: [{ ...job(1), ...score }], failed: [job(2)] },
  };
  assert.deepEqual(nextJob(standing, 2, 3, []), job(3));
  assert.deepEqual(nextJob(standing, 2, 3, [job(3)]), job(4));
  assert.equal(nextJob({ ...standing, trials: 3 }, 2, 3, [job(3)]), undefined);
  // One that was taken a moment ago, and is not noted yet, is not taken twice.
  assert.deepEqual(nextJob({ ...standing, trials: 5 }, 2, 3, [job(3), job(4)]), job(5));
});

test('of equal accuracies the one with the lower loss is better', () => {
  assert.ok(compareScores({ accuracy: 0.5, loss: 1 }, { accuracy: 0.5, loss: 2 }) < 0);
  assert.ok(compareScores({ accuracy: 0.6, loss: 3 }, { accuracy: 0.5, loss: 1 }) < 0);
});

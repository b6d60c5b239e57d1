import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { compareScores, type Job, nextJob, rungsOf, type Score, type Standing } from '../../../src/protocol/halving.ts';

/**
 * A sweep in which a trial's accuracy grows with its epochs to its own best, and `workers` take jobs that last as long as
 * the epochs that they train.
 */
function simulate(trials: number, workers: number, halving: { first: number; factor: number }, epochs: number) {
  const random = createRandom(11, trials, workers);
  const best = Array.from({ length: trials }, () => random.next());
  const rungs = rungsOf(halving, epochs);
  const scoreOf = ({ trial, rung }: Job): Score => {
    const accuracy = (best[trial - 1] ?? 0) * (1 - 0.5 ** (rung + 1));
    return { accuracy, loss: 1 - accuracy };
  };
  const standing = {
    trials,
    begun: [] as Job[],
    reached: [] as (Job & Score)[],
    failed: [] as Job[],
  } satisfies Standing;
  let running: { job: Job; until: number }[] = [];
  let now = 0;
  const trained = new Map<number, number>();
  for (;;) {
    while (running.length < workers) {
      const jobs = running.map(({ job }) => job);
      const job = nextJob(standing, rungs.length, halving.factor, jobs);
      if (!job) break;
      const before = trained.get(job.trial) ?? 0;
      const to = rungs[job.rung] ?? 0;
      assert.equal(before, job.rung === 0 ? 0 : rungs[job.rung - 1], 'a trial goes on from the rung below');
      trained.set(job.trial, to);
      standing.begun.push(job);
      running.push({ job, until: now + to - before });
    }
    const [first] = running.sort((a, b) => a.until - b.until);
    if (!first) break;
    now = first.until;
    running = running.slice(1);
    standing.reached.push({ ...first.job, ...scoreOf(first.job) });
  }
  return { best, rungs, standing, trained };
}

test('the rungs are the first epochs, each time by the factor, and all epochs', () => {
  assert.deepEqual(rungsOf({ first: 1, factor: 3 }, 27), [1, 3, 9, 27]);
  assert.deepEqual(rungsOf({ first: 2, factor: 4 }, 10), [2, 8, 10]);
  assert.deepEqual(rungsOf({ first: 5, factor: 2 }, 5), [5]);
  assert.deepEqual(rungsOf(undefined, 7), [7]);
});

for (const workers of [1, 25]) {
  test(`of 1,000 trials by ${workers} at a time, none trains further than its rung and the best reach the end`, () => {
    const { best, rungs, standing, trained } = simulate(1000, workers, { first: 1, factor: 3 }, 81);
    for (const [rung, epochs] of rungs.entries()) {
      const there = standing.reached.filter((job) => job.rung === rung);
      assert.equal(new Set(there.map(({ trial }) => trial)).size, there.length, 'a trial is trained once to a rung');
      const above = standing.reached.filter((job) => job.rung === rung + 1);
      if (rung + 1 < rungs.length) {
        // What was promoted early, among few, may fall behind later (Li et al. 2020, section 3.2).
        assert.ok(above.length >= Math.floor(there.length / 3), `${above.length} of ${there.length} promoted`);
        assert.ok(above.length <= there.length / 3 + 3 * Math.sqrt(there.length), `${above.length} of ${there.length}`);
        const promoted = new Set(above.map(({ trial }) => trial));
        const top = [...there].sort(compareScores).slice(0, Math.floor(there.length / 3));
        for (const { trial } of top) assert.ok(promoted.has(trial), `trial ${trial} is among the best third`);
      }
      for (const { trial } of there) assert.ok((trained.get(trial) ?? 0) >= epochs);
    }
    assert.equal(standing.reached.filter(({ rung }) => rung === 0).length, 1000);
    const winner = best.indexOf(Math.max(...best)) + 1;
    assert.equal(trained.get(winner), 81);
    const total = [...trained.values()].reduce((sum, epochs) => sum + epochs, 0);
    assert.ok(total < 0.1 * 81 * 1000, `${total} epochs instead of 81,000`);
  });
}

test('of trials too few for a share of them to reach the end, the best one goes on to it alone', () => {
  for (const workers of [1, 4]) {
    const { rungs, standing, trained } = simulate(5, workers, { first: 1, factor: 3 }, 27);
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

import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FuzzReport, FuzzWish } from './fuzzProcess.ts';
import { fuzzSeconds } from './fuzzSeconds.ts';
import { targets } from './targets.ts';

const mutants = Number(process.env['FIVECROP_FUZZ'] ?? 1000);
const seed = Number(process.env['FIVECROP_SEED'] ?? randomInt(1_000_000_000));
/** What waits and computes nothing ends too, though late. */
const minutes = 10;

interface Outcomes {
  accepted: number;
  refused: number;
  /** Mutants that ended or held the process. */
  readonly ended: string[];
  readonly faults: string[];
}

/** Reads all of them as long as it lives: it begins for seconds. */
let reader: ChildProcess | undefined;
after(() => reader?.disconnect());

/** Runs the mutants from `first` on and resolves with the one that ended its process, or undefined when all are through. */
function runFrom(name: string, first: number, outcomes: Outcomes): Promise<number | undefined> {
  const child = (reader ??= fork(join(import.meta.dirname, 'fuzzProcess.ts'), [String(seed), String(mutants)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  }));
  let current = first - 1;
  let watchdog: NodeJS.Timeout | undefined;
  let late = false;
  return new Promise((resolve) => {
    const hear = ({ mutant, outcome, message = '' }: FuzzReport) => {
      clearTimeout(watchdog);
      current = mutant;
      if (outcome === 'fault') outcomes.faults.push(`mutant ${mutant}: ${message}`);
      else if (outcome) outcomes[outcome]++;
      else if (mutant === mutants) {
        child.off('message', hear).off('close', end);
        resolve(undefined);
      } else {
        watchdog = setTimeout(() => {
          late = true;
          child.kill('SIGKILL');
        }, minutes * 60_000);
      }
    };
    // Not `exit`, after which reports may still be on their way; the channel closes behind them.
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(watchdog);
      reader = undefined;
      const reason = late ? `more than ${minutes} minutes` : reasonOf(code, signal);
      outcomes.ended.push(`mutant ${current}: ${reason}`);
      resolve(current);
    };
    child.on('message', hear).once('close', end);
    const wish: FuzzWish = { name, first };
    child.send(wish);
  });
}

function reasonOf(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL') return 'more than 1 GB';
  return signal === 'SIGTERM'
    ? `more than ${fuzzSeconds} seconds of processor time`
    : (signal ?? `exit code ${String(code)}`);
}

for (const { name } of targets) {
  test(`${mutants} mutants of ${name} are used or refused in one sentence`, async (context) => {
    const outcomes: Outcomes = { accepted: 0, refused: 0, ended: [], faults: [] };
    for (let next: number | undefined = 0; next !== undefined && next < mutants;) {
      const ended = await runFrom(name, next, outcomes);
      next = ended === undefined ? undefined : ended + 1;
      // The process itself does not start.
      if (ended === -1) break;
    }
    const { accepted, refused, ended, faults } = outcomes;
    context.diagnostic(`FIVECROP_SEED=${seed}: ${accepted} accepted, ${refused} refused, ${ended.length} ended`);
    const where = `FIVECROP_SEED=${seed} FIVECROP_FUZZ=${mutants}, ${name}`;
    assert.deepEqual(faults, [], where);
    // A foreign model is tried in a process of its own, which is there to be ended; see modelTrial.test.ts.
    if (name === 'onnx') for (const line of ended) context.diagnostic(line);
    else assert.deepEqual(ended, [], where);
    assert.equal(accepted + refused + ended.length, mutants, where);
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTrace, type TraceEvent } from '../../../src/ml/engine/onnxruntime/trace.ts';

/** Three runs of two nodes; each takes `own` microseconds of the processor, twice as many in the first run. */
function traceOf(own: Record<string, number>): TraceEvent[] {
  return [0, 1, 2].flatMap((run): TraceEvent[] => [
    { cat: 'Session', name: 'model_run', ts: run * 1000, dur: 900, args: {} },
    ...Object.entries(own).map(([node, dur], at) => ({
      cat: 'Node',
      name: `${node}_kernel_time`,
      ts: run * 1000 + 10 * (at + 1),
      dur: run === 0 ? 2 * dur : dur,
      args: { op_name: 'Conv', provider: 'P', output_type_shape: [{ float: [1, 2] }], mem_in_use_peak: '77' },
    })),
  ]);
}

const watch = { purpose: 'full', batchSize: 4, unwatchedFrom: undefined, observer: { warmup: 1 } };
const secondsOf = (events: readonly TraceEvent[]) =>
  readTrace(events, [5, 6, 7], watch).kernels.map(({ node, seconds }) => [node, Math.round(seconds * 1e6)]);

test('a trace gives the mean time of each kernel over the runs behind the warm-up', () => {
  const profile = readTrace(traceOf({ a: 20, b: 30 }), [5, 6, 7], watch);
  assert.deepEqual(profile.runs, [6, 7].map((moment) => ({ moment, seconds: 900 / 1e6 }))); // prettier-ignore
  assert.equal(profile.peakBytes, 77);
  assert.deepEqual(profile.kernels[0], { node: 'a', kernel: 'Conv', provider: 'P', seconds: 20 / 1e6, shapes: '1x2' });
  assert.deepEqual(secondsOf(traceOf({ a: 20, b: 30 })), [['a', 20], ['b', 30]]); // prettier-ignore
});

test('where a graphics card has times of its own, those count, all shaders of a node together', () => {
  // The card's clock is another, and its times come behind all others.
  const card = (node: string, dur: number): TraceEvent => ({
    cat: 'Api',
    name: `${node}&Conv`,
    ts: 9e9,
    dur,
    args: {},
  });
  const shaders = [100, 40, 60].flatMap((dur) => [card('a', dur), card('a', 2 * dur), card('b', 7)]);
  assert.deepEqual(secondsOf([...traceOf({ a: 20, b: 30, c: 3 }), ...shaders]), [['a', 150], ['b', 7], ['c', 3]]); // prettier-ignore
});

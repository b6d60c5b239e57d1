import process from 'node:process';
import { type DryRunAnswer, dryRunRequestSchema } from '../../protocol/dryRun.ts';
import { failureOf } from '../../protocol/requestChannel.ts';
import { chooseTrainingEngine } from '../engine/chooseTrainingEngine.ts';
import { estimateRun } from '../training/run/estimateRun.ts';
import { findLearningRate, type RateOptions } from '../training/run/findLearningRate.ts';
import type { DryRunOptions } from '../training/run/dryRun.ts';

/** Longest that a step may go on once nobody waits for it, in milliseconds. */
const grace = 10_000;

/** The process of a dry run: see `protocol/dryRun.ts`. Unlike a trainer it ends when whoever forked it does. */
function main(): void {
  if (!process.send) {
    console.error(
      'The editor starts this with a channel to it. In a shell, use fivecrop lr-find or fivecrop estimate.',
    );
    process.exitCode = 2;
    return;
  }
  const stopping = new AbortController();
  process.on('disconnect', () => {
    stopping.abort();
    setTimeout(() => process.exit(0), grace).unref();
  });
  const send = (answer: DryRunAnswer) =>
    new Promise<void>((resolve) => {
      process.send?.(answer, undefined, undefined, () => resolve());
    });
  process.once('message', (message) => {
    void answerTo(message, stopping.signal, (answer) => void send(answer))
      .catch((error: unknown) => failureOf(error, (problem) => console.error(problem)))
      .then(send)
      .finally(() => {
        if (process.connected) process.disconnect();
      });
  });
}

/** Does what a message asks for, tells `send` how far it is, and resolves to the last answer. */
async function answerTo(
  message: unknown,
  signal: AbortSignal,
  send: (answer: DryRunAnswer) => void,
): Promise<DryRunAnswer> {
  const request = dryRunRequestSchema.parse(message);
  const options: DryRunOptions = {
    chooseEngine: chooseTrainingEngine,
    signal,
    onProgress: ({ what, done, total }) =>
      send({ type: 'progress', what, done, ...(total === undefined ? {} : { total }) }),
    onEvent: (event) => {
      if (event.event === 'log') send({ type: 'log', level: event.level, message: event.message });
    },
  };
  if (request.what === 'rate') {
    const { range, config } = request;
    const onPoint: RateOptions['onPoint'] = (point, done) => {
      send({ type: 'point', point });
      send({ type: 'progress', what: 'Trying learning rates', done, total: range.steps });
    };
    const advice = 'use more images per step';
    const { points, smoothed, steepest, least } = await findLearningRate(config, range, {
      ...options,
      advice,
      onPoint,
    });
    const rate = {
      points: [...points],
      smoothed: [...smoothed],
      least,
      ...(steepest === undefined ? {} : { steepest }),
    };
    return { type: 'rate', rate };
  }
  const onStep = (done: number, total: number) =>
    send({ type: 'progress', what: 'Timing steps of the training', done, total });
  return { type: 'estimate', estimate: await estimateRun(request.config, { ...options, onStep }) };
}

main();

import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { whole } from '../protocol/bounded.ts';
import { cancelled } from '../protocol/errors.ts';
import type { TrainingEventOf } from '../protocol/trainingEvents.ts';
import { readEvents } from '../runs/events.ts';
import { readStoredRun, type StoredRun } from '../runs/list.ts';
import { isLive, stateName } from '../runs/state.ts';
import { runInput } from './inputs.ts';
import { defineTool, readsOnly, type ToolContext } from './tool.ts';
import { runFolder } from './workplace.ts';

/** Milliseconds between two looks at a run. */
const interval = 250;
/** Validations that are told, the newest ones. */
const mostValidations = 20;
/** Below a minute, after which clients give a call up. */
const longestWait = 50;

/** How a training is doing. */
export const followTraining = defineTool({
  name: 'follow_training',
  title: 'Follow Training',
  description:
    'Says how a run of train_classifier is doing: its state, how far it is, and its newest losses and accuracies. Waits for the end of the run for up to waitSeconds, and answers earlier if it ends. Call it again while state is preparing, running, paused, stopping or queued; finished, stopped, failed and interrupted are ends. Reads only.',
  input: z.strictObject({
    run: runInput,
    waitSeconds: whole(0, longestWait).default(20).describe('How long to wait for the end of the run, in seconds.'),
  }),
  output: z.object({
    run: z.string(),
    state: z.string(),
    ended: z.boolean().describe('Whether nothing more will come.'),
    reason: z.string().optional().describe('Why it ended.'),
    epoch: z.number().describe('Epochs that are done, with the fraction of the present one.'),
    epochs: z.number(),
    step: z.number(),
    totalSteps: z.number().optional(),
    secondsLeft: z.number().optional(),
    of: z.string().describe('Which images the losses and accuracies are of.'),
    trainLoss: z.number().optional().describe('Of the newest step, on the images of that step.'),
    validations: z.array(
      z.object({ epoch: z.number(), trainLoss: z.number(), validLoss: z.number(), validAccuracy: z.number() }),
    ),
    best: z.object({ step: z.number(), validLoss: z.number(), validAccuracy: z.number() }).optional(),
  }),
  effects: readsOnly,
  prepare: async ({ run, waitSeconds }, context) => {
    const folder = await runFolder(context.workplace, run);
    return { run: () => followed(folder, waitSeconds, context) };
  },
});

async function followed(folder: string, waitSeconds: number, { signal, onProgress }: ToolContext) {
  const until = Date.now() + waitSeconds * 1000;
  const newest = createNewest(folder);
  for (;;) {
    if (signal.aborted) throw cancelled();
    const run = await readStoredRun(folder);
    await newest.read();
    if (!goesOn(run) || Date.now() >= until) return told(run, newest);
    const { progress } = run.record;
    const step = Math.max(newest.step?.step ?? 0, progress?.step ?? 0);
    onProgress({ what: stateName(run.state), done: step, total: progress?.totalSteps });
    await delay(Math.min(interval, Math.max(0, until - Date.now())), undefined, { signal }).catch(() => undefined);
  }
}

type Newest = ReturnType<typeof createNewest>;

/** The newest figures of a run’s events, which are read on from where they ended. */
function createNewest(folder: string) {
  let from = 0;
  const newest = {
    step: undefined as TrainingEventOf<'step'> | undefined,
    validations: [] as TrainingEventOf<'validation'>[],
    start: undefined as TrainingEventOf<'start'> | undefined,
    read: async () => {
      for await (const { events, next } of readEvents(folder, from)) {
        from = next;
        for (const event of events) {
          if (event.event === 'step') newest.step = event;
          if (event.event === 'start') newest.start = event;
          if (event.event === 'validation') newest.validations = [...newest.validations, event].slice(-mostValidations);
        }
      }
    },
  };
  return newest;
}

/** Whether more will come of a run: one that waits for its turn on a cluster has not ended. */
function goesOn({ state }: StoredRun): boolean {
  return isLive(state) || state === 'queued';
}

function told(run: StoredRun, { step, validations, start }: Newest) {
  const { folder, record, state } = run;
  const images = start ?? { trainImages: record.data?.images.train ?? 0, validImages: record.data?.images.valid ?? 0 };
  return {
    run: basename(folder),
    state: stateName(state),
    ended: !goesOn(run),
    ...(record.reason === undefined ? {} : { reason: record.reason }),
    epoch: step?.epoch ?? record.progress?.epoch ?? 0,
    epochs: record.config.epochs,
    step: step?.step ?? record.progress?.step ?? 0,
    ...(record.progress ? { totalSteps: record.progress.totalSteps } : {}),
    ...(step?.secondsLeft === undefined || !isLive(state) ? {} : { secondsLeft: step.secondsLeft }),
    of: `losses named train are of the ${images.trainImages} training images, augmented, as far as they decode; those named valid, and accuracies, of the ${images.validImages} validation images, which the best checkpoint is chosen by: test_classifier tells the accuracy on others`,
    ...(step ? { trainLoss: step.loss } : {}),
    validations: validations.map(({ epoch, trainLoss, validLoss, validAccuracy }) => ({
      ...{ epoch, trainLoss, validLoss, validAccuracy },
    })),
    ...(record.best ? { best: record.best } : {}),
  };
}

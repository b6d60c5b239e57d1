import { basename } from 'node:path';
import * as z from 'zod';
import { userError } from '../protocol/errors.ts';
import { readStoredRun } from '../runs/list.ts';
import { isLive, stateName } from '../runs/state.ts';
import { runInput } from './inputs.ts';
import { defineTool, readsOnly } from './tool.ts';
import { runFolder } from './workplace.ts';

/** Ends a training in good order. */
export const stopTraining = defineTool({
  name: 'stop_training',
  title: 'Stop Training',
  description:
    'Asks a run that is training to finish its step, save a checkpoint and end. What it learned stays, and the user can resume it. Returns at once: follow_training says when it has stopped. The user is asked first.',
  input: z.strictObject({ run: runInput }),
  output: z.object({ run: z.string(), state: z.string(), next: z.string() }),
  effects: { ...readsOnly, readOnlyHint: false },
  prepare: async ({ run: given }, context) => {
    const folder = await runFolder(context.workplace, given);
    const name = basename(folder);
    const requireLive = async () => {
      const run = await readStoredRun(folder);
      if (isLive(run.state)) return run;
      throw userError(`${name} is not training (it is ${stateName(run.state)}), so there is nothing to stop.`);
    };
    await requireLive();
    return {
      question: `Stop the training ${name}? It finishes its step and saves a checkpoint in its folder.`,
      run: async () => {
        await context.stopTraining(await requireLive());
        return { run: name, state: 'stopping', next: `Call follow_training with run ${name} until ended is true.` };
      },
    };
  },
});

import { basename } from 'node:path';
import * as z from 'zod';
import { UserError } from '../protocol/errors.ts';
import { networkName } from '../protocol/networkName.ts';
import { listRuns as runsIn, newestFirst, type StoredRun } from '../runs/list.ts';
import { stateName } from '../runs/state.ts';
import { limitInput } from './inputs.ts';
import { defineTool, readsOnly } from './tool.ts';
import { ownRun, pathInside, pathShown, type Workplace } from './workplace.ts';

/** What was trained here. */
export const listRuns = defineTool({
  name: 'list_runs',
  title: 'List Runs',
  description:
    'Lists the trainings of this workspace, newest first: name, state, network, method, data and the best validation accuracy. The name of a run is what the other tools take as run. Reads only.',
  input: z.strictObject({ limit: limitInput(20) }),
  output: z.object({
    count: z.number().describe('How many runs there are.'),
    left: z.number().describe('Runs that are left out, since links in their folders lead out of the workspace.'),
    of: z.string().describe('Which images the accuracies are of.'),
    runs: z.array(
      z.object({
        run: z.string(),
        folder: z.string(),
        state: z.string(),
        created: z.string(),
        network: z.string(),
        method: z.string(),
        data: z.string(),
        epoch: z.number(),
        epochs: z.number(),
        validImages: z.number().optional(),
        bestValidAccuracy: z.number().optional(),
        reason: z.string().optional(),
      }),
    ),
  }),
  effects: readsOnly,
  prepare: ({ limit }, { workplace }) =>
    Promise.resolve({
      run: async () => {
        const found: StoredRun[] = [];
        let left = 0;
        for (const parent of workplace.runsFolders) {
          await pathInside(workplace, parent);
          for (const run of (await runsIn(parent)).runs) {
            if (await isOwn(workplace, run.folder)) found.push(run);
            else left++;
          }
        }
        const runs = found.sort(newestFirst);
        return {
          count: runs.length,
          left,
          of: 'the validation images of each run, by which its best checkpoint was chosen',
          runs: runs.slice(0, limit).map((run) => toldRun(run, workplace)),
        };
      },
    }),
});

async function isOwn(workplace: Workplace, folder: string): Promise<boolean> {
  return ownRun(workplace, folder).then(
    () => true,
    (error: unknown) => {
      if (error instanceof UserError) return false;
      throw error;
    },
  );
}

function toldRun({ folder, state, record }: StoredRun, workplace: Workplace) {
  const { config, progress, best, data, reason, created } = record;
  return {
    run: basename(folder),
    folder: pathShown(workplace, folder),
    state: stateName(state),
    created,
    network: networkName(config.network),
    method: config.method,
    data: pathShown(workplace, config.data),
    epoch: progress?.epoch ?? 0,
    epochs: config.epochs,
    ...(data ? { validImages: data.images.valid } : {}),
    ...(best ? { bestValidAccuracy: best.validAccuracy } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}

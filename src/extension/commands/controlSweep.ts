import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled, userError } from '../../protocol/errors.ts';
import { isSweepLive, passingFailures, type StoredSweep } from '../../runs/storedSweep.ts';
import type { Parts } from '../parts.ts';
import { inLabel } from '../plainText.ts';
import { nameOfSweep } from '../trainer/sweepCatalogue.ts';
import type { Sweeps } from '../trainer/sweeps.ts';
import { sweepDescription } from '../views/formatSweep.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { registerCommand } from './registerCommand.ts';

type ControlParts = Pick<Parts, 'log' | 'runs' | 'panels'> & { readonly sweeps: Sweeps };

/** *Show Sweep*, *Stop Sweep* and *Resume Sweep*. */
export function registerControllingSweep(parts: ControlParts): vscode.Disposable {
  const { log, panels, sweeps } = parts;
  return vscode.Disposable.from(
    registerCommand('fivecrop.showSweep', log, async (argument: unknown) =>
      panels.showSweep((await chooseSweep(parts, argument, toShow)).folder),
    ),
    registerCommand('fivecrop.stopSweep', log, async (argument: unknown) =>
      sweeps.stop((await chooseSweep(parts, argument, toStop)).folder),
    ),
    registerCommand('fivecrop.resumeSweep', log, async (argument: unknown) => {
      const { folder } = await chooseSweep(parts, argument, toResume);
      const starting = { location: { viewId: 'fivecrop.checkpoints' }, title: l10n.t('Starting the sweep') };
      await vscode.window.withProgress(starting, () => sweeps.resume(folder));
    }),
  );
}

interface SweepQuestion {
  readonly title: string;
  readonly suits: (sweep: StoredSweep) => boolean;
  readonly none: string;
}

const toShow: SweepQuestion = {
  title: l10n.t('Show which sweep?'),
  suits: () => true,
  none: l10n.t('There are no sweeps here yet; Fivecrop: New Sweep starts one.'),
};
const toStop: SweepQuestion = {
  title: l10n.t('Stop which sweep?'),
  suits: ({ state }) => state === 'running',
  none: l10n.t('No sweep is running now, so there is nothing to stop.'),
};
const toResume: SweepQuestion = {
  title: l10n.t('Resume which sweep?'),
  suits: (sweep) => !isSweepLive(sweep.state) && (sweep.state !== 'finished' || passingFailures(sweep) > 0),
  none: l10n.t('There is no sweep to resume; Fivecrop: New Sweep starts one.'),
};

/** The sweep of the tree's row or the folder that a command was called with, else the only one there is, else the one that the user picks. */
async function chooseSweep(
  { runs }: Pick<Parts, 'runs'>,
  argument: unknown,
  { title, suits, none }: SweepQuestion,
): Promise<StoredSweep> {
  await runs.load();
  const node = nodeFrom(argument);
  const folder = typeof argument === 'string' ? argument : node?.kind === 'sweep' ? node.folder : undefined;
  const named = folder === undefined ? undefined : runs.sweeps.get(folder);
  if (folder !== undefined && named === undefined)
    throw userError(l10n.t('There is no sweep in {0} any more; refresh the list of checkpoints.', folder));
  const fitting = named ? [named] : runs.sweeps.sweeps();
  const [only, ...others] = fitting.filter(suits);
  if (only === undefined) throw userError(none);
  if (others.length === 0) return only;
  const items = [only, ...others].map((sweep) => ({
    label: inLabel(nameOfSweep(sweep)),
    description: sweepDescription(sweep),
    sweep,
  }));
  const picked = await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true, matchOnDescription: true });
  if (picked === undefined) throw cancelled();
  return picked.sweep;
}

import { basename, dirname } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import { sweepPanelToHostSchema, type SweepPanelToHost, type SweepPanelToPage } from '../../protocol/sweepPanel.ts';
import { visible } from '../../protocol/visibleText.ts';
import { showFailure } from '../commands/registerCommand.ts';
import type { Panels, Parts } from '../parts.ts';
import { closeDormantTabs } from './dormantTabs.ts';
import { createPanel, hostPage, viewType } from './hostPage.ts';
import { createPanelMemory, newPanelId, type PanelMemory } from './panelMemory.ts';
import { createSweepSession } from './sweepSession.ts';

type SweepParts = Pick<Parts, 'log' | 'runs'>;

const shownSchema = z.object({ sweep: z.string() });
/** The folder of the sweep. */
type Shown = z.infer<typeof shownSchema>;

export interface SweepPanels {
  readonly show: Panels['showSweep'];
  dispose(): void;
}

/** Panels that show sweeps, one each. */
export function registerSweepPanels(
  context: vscode.ExtensionContext,
  parts: SweepParts,
  showRuns: Panels['showRuns'],
): SweepPanels {
  const { log } = parts;
  const memory = createPanelMemory<Shown>(context.workspaceState, shownSchema);
  const open = new Map<string, vscode.WebviewPanel>();

  function fill(panel: vscode.WebviewPanel, id: string, folder: string): void {
    open.set(folder, panel);
    fillPanel(panel, id, folder, { context, parts, memory, showRuns });
    panel.onDidDispose(() => open.delete(folder));
  }

  async function showPanel(folder: string): Promise<void> {
    const title = visible(l10n.t('Sweep {0}', basename(folder)));
    if (![...open.values()].some((panel) => panel.title === title)) await closeDormantTabs('sweep', title);
    // Another call may have opened it meanwhile.
    const there = open.get(folder);
    if (there) there.reveal();
    else fill(createPanel('sweep', title), newPanelId(), folder);
  }

  const serializer = vscode.window.registerWebviewPanelSerializer(viewType('sweep'), {
    deserializeWebviewPanel: async (panel, state) => {
      const recalled = memory.recall(state);
      await parts.runs.load();
      if (recalled && !open.has(recalled.value.sweep)) fill(panel, recalled.id, recalled.value.sweep);
      else panel.dispose();
    },
  });
  return {
    show: (folder) => void showPanel(folder).catch((error: unknown) => showFailure(error, log)),
    dispose: () => {
      serializer.dispose();
    },
  };
}

interface Surroundings {
  readonly context: vscode.ExtensionContext;
  readonly parts: SweepParts;
  readonly memory: PanelMemory<Shown>;
  readonly showRuns: Panels['showRuns'];
}

function fillPanel(panel: vscode.WebviewPanel, id: string, folder: string, around: Surroundings): void {
  const { context, parts, memory, showRuns } = around;
  const { log, runs } = parts;
  const replay = () => {
    if (runs.sweeps.get(folder)) session.replay();
    else connection.post({ type: 'error', message: l10n.t('The sweep is not in {0} any more.', dirname(folder)) });
  };
  const obey = async (message: Exclude<SweepPanelToHost, { type: 'ready' }>): Promise<void> => {
    if (message.type === 'show') {
      const folders = session.foldersOf(message.runs);
      if (folders.length > 0) showRuns(folders);
    } else if (message.type === 'stop') await vscode.commands.executeCommand('fivecrop.stopSweep', folder);
    else await vscode.commands.executeCommand('fivecrop.resumeSweep', folder);
  };
  const connection = hostPage<SweepPanelToPage, SweepPanelToHost>(panel, context, {
    name: 'sweep',
    panelId: id,
    log,
    schema: sweepPanelToHostSchema,
    replay,
    receive: (message) => void obey(message).catch((error: unknown) => showFailure(error, log)),
  });
  const source = { sweep: () => runs.sweeps.get(folder), run: runs.get };
  const session = createSweepSession(source, connection.post);
  const isOfSweep = (run: string) => runs.sweeps.ofRun(run)?.folder === folder;
  const listeners = [
    runs.onDidChangeSweeps((folders) => {
      if (!folders.includes(folder)) return;
      if (runs.sweeps.get(folder)) session.refresh();
      else replay();
    }),
    runs.onDidChange((folders) => {
      if (folders.some(isOfSweep)) session.refresh();
    }),
  ];
  panel.onDidDispose(() => {
    for (const listener of listeners) listener.dispose();
    session.dispose();
    memory.forget(id);
  });
  memory.remember(id, { sweep: folder });
}

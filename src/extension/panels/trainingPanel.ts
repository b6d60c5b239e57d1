import { basename, isAbsolute, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import {
  trainingPanelToHostSchema,
  type TrainingPanelToHost,
  type TrainingPanelToPage,
} from '../../protocol/trainingPanel.ts';
import { askForMirror, openWeightsFolder } from '../commands/offerWeights.ts';
import { prepareResume, trainWithout } from '../commands/resumeRun.ts';
import { showFailure } from '../commands/registerCommand.ts';
import type { Panels, Parts } from '../parts.ts';
import { untrustedRefusal } from '../requireTrust.ts';
import { elsewhereRefusal } from '../trainer/elsewhere.ts';
import type { Trainers } from '../trainer/trainers.ts';
import { savedCheckpoint } from '../../runs/checkpointFiles.ts';
import type { RunNode } from '../views/treeNodes.ts';
import { closeDormantTabs } from './dormantTabs.ts';
import { createPanel, hostPage, viewType } from './hostPage.ts';
import { createPanelMemory, newPanelId } from './panelMemory.ts';
import { pictureFor } from './pictureFor.ts';
import { saveExport } from './saveExport.ts';
import { createTrainingSession, type ListedRun, type TrainingSession, type RunDetails } from './trainingSession.ts';
import { visible } from '../../protocol/visibleText.ts';
import { runTitle } from '../../protocol/runTitle.ts';

type TrainingParts = Pick<Parts, 'log' | 'runs' | 'trainers' | 'service'>;

export interface TrainingPanels {
  /** See `Panels.showRuns`. */
  readonly show: Panels['showRuns'];
  /** See `Panels.runRenamed`. */
  readonly rename: (from: string, to: string) => void;
  dispose(): void;
}

interface OpenPanel {
  readonly panel: vscode.WebviewPanel;
  /** The folders that were asked for, some of which may be gone. */
  readonly wanted: readonly string[];
  readonly show: (folders: readonly string[]) => void;
}

/** The training panel, of which there is one: it shows one run, or several over each other. */
export function registerTrainingPanel(context: vscode.ExtensionContext, parts: TrainingParts): TrainingPanels {
  const { log, runs, trainers } = parts;
  const memory = createPanelMemory(context.workspaceState, z.object({ folders: z.array(z.string()) }));
  let open: OpenPanel | undefined;

  const listed = (): readonly ListedRun[] =>
    runs.runs.map(({ folder, record, state }) => ({ folder, record, brokenOff: state === 'broken off' }));

  function fill(panel: vscode.WebviewPanel, id: string, folders: readonly string[]): void {
    const connection = hostPage<TrainingPanelToPage, TrainingPanelToHost>(panel, context, {
      name: 'training',
      panelId: id,
      log,
      schema: trainingPanelToHostSchema,
      replay: () => session.replay(),
      receive: (message) => {
        void obey(message, { session, show, post: connection.post }, parts).catch((error: unknown) =>
          showFailure(error, log),
        );
      },
    });
    const session = createTrainingSession(
      { runs: listed, details: (run) => detailsOf(run, trainers), follow: trainers.follow },
      connection.post,
    );
    let wanted: readonly string[] = [];
    let isClosed = false;
    const show = (next: readonly string[]) => {
      // What was asked for here may begin after the panel has been closed.
      if (isClosed) {
        showRuns(next);
        return;
      }
      wanted = next;
      session.show(wanted);
      memory.remember(id, { folders: [...session.folders] });
      panel.title = titleOf(session.folders);
    };
    const changed = runs.onDidChange(() => session.refresh());
    const asked = trainers.onDidAsk(() => session.refresh());
    const trusted = vscode.workspace.onDidGrantWorkspaceTrust(() => session.refresh());
    const own: OpenPanel = {
      panel,
      get wanted() {
        return wanted;
      },
      show,
    };
    panel.onDidDispose(() => {
      isClosed = true;
      changed.dispose();
      asked.dispose();
      trusted.dispose();
      session.dispose();
      memory.forget(id);
      if (open === own) open = undefined;
    });
    show(folders);
    open = own;
  }

  async function openWith(folders: readonly string[], preserveFocus: boolean): Promise<void> {
    await runs.load();
    if (!open) await closeDormantTabs('training');
    if (open) {
      open.show(folders);
      open.panel.reveal(undefined, preserveFocus);
    } else fill(createPanel('training', titleOf(folders), preserveFocus), newPanelId(), folders);
  }

  const showRuns: Panels['showRuns'] = (folders, { preserveFocus } = { preserveFocus: false }) =>
    void openWith(folders, preserveFocus).catch((error: unknown) => showFailure(error, log));

  const serializer = vscode.window.registerWebviewPanelSerializer(viewType('training'), {
    deserializeWebviewPanel: async (panel, state) => {
      const recalled = memory.recall(state);
      await runs.load();
      if (!recalled || open) {
        panel.dispose();
        return;
      }
      fill(panel, recalled.id, recalled.value.folders);
    },
  });
  return {
    show: showRuns,
    rename: (from, to) => {
      if (open?.wanted.includes(from)) open.show(open.wanted.map((folder) => (folder === from ? to : folder)));
    },
    dispose: () => {
      serializer.dispose();
    },
  };
}

/** What is known of a run here: whether anything may run, what it was asked for, and whether it has a checkpoint. */
function detailsOf({ folder, record, brokenOff }: ListedRun, { requestOf }: Pick<Trainers, 'requestOf'>): RunDetails {
  const asked = requestOf(folder);
  const refusal = untrustedRefusal('training') ?? (brokenOff ? undefined : elsewhereRefusal(record));
  return {
    usable: savedCheckpoint(folder) !== undefined,
    ...(refusal === undefined ? {} : { refusal }),
    ...(asked === undefined ? {} : { asked }),
  };
}

function titleOf(folders: readonly string[]): string {
  const [first, ...others] = folders;
  if (first === undefined) return l10n.t('Training');
  const title = runTitle(basename(first));
  return visible(others.length === 0 ? title : l10n.t('{0} and {1} more', title, others.length));
}

/** The commands behind the page's buttons. */
const commands = {
  test: 'fivecrop.testCheckpoint',
  classify: 'fivecrop.classifyWithCheckpoint',
  exportOnnx: 'fivecrop.exportOnnx',
  trainAgain: 'fivecrop.trainAgain',
  configuration: 'fivecrop.showConfiguration',
} as const;

interface Shown {
  readonly session: TrainingSession;
  readonly show: (folders: readonly string[]) => void;
  readonly post: (message: TrainingPanelToPage) => void;
}

async function resumeIn(
  { session, show }: Pick<Shown, 'session' | 'show'>,
  parts: TrainingParts,
  of: string,
): Promise<void> {
  // The page says "Resuming" at once; while weights are looked for or the user is asked, that is not so.
  session.refresh();
  const resume = await prepareResume(parts, of);
  const folder = await resume();
  if (!session.folders.includes(folder)) show([folder, ...session.folders]);
}

async function obey(
  message: Exclude<TrainingPanelToHost, { type: 'ready' }>,
  { session, show, post }: Shown,
  parts: TrainingParts,
): Promise<void> {
  const { trainers } = parts;
  switch (message.type) {
    case 'show':
      show(message.folders);
      return;
    case 'stop':
      return trainers.stop(message.folder);
    case 'stopNow':
      return trainers.stopNow(message.folder);
    case 'pause':
      return trainers.pause(message.folder);
    case 'resume':
      return resumeIn({ session, show }, parts, message.folder);
    case 'setMirror':
      if (await askForMirror()) await resumeIn({ session, show }, parts, message.folder);
      return;
    case 'openWeightsFolder':
      return openWeightsFolder(parts.service);
    case 'trainWithoutWeights':
      show([await trainWithout(parts, message.folder)]);
      return;
    case 'test':
    case 'classify':
    case 'exportOnnx':
    case 'trainAgain':
    case 'configuration': {
      const node: RunNode = { kind: 'run', folder: message.folder };
      await vscode.commands.executeCommand(commands[message.type], node);
      return;
    }
    case 'export': {
      const { format, content, name, thinned } = message;
      const note = l10n.t('The steps of long runs are thinned; metrics.jsonl in the run’s folder has all of them.');
      return saveExport({
        name: `${name}${thinned ? '-thinned' : ''}`,
        format,
        content,
        title: l10n.t('Export curves'),
        folder: session.folders[0],
        ...(thinned ? { note } : {}),
      });
    }
    case 'open': {
      const path = isAbsolute(message.path) ? message.path : join(session.folders[0] ?? '', message.path);
      await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(path));
      return;
    }
    case 'picture': {
      const picture = await pictureFor(parts, message.image, message.size);
      if (picture !== undefined) post({ type: 'picture', image: message.image, picture });
    }
  }
}

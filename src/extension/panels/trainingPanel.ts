import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import {
  trainingPanelToHostSchema,
  type TrainingPanelToHost,
  type TrainingPanelToPage,
} from '../../protocol/trainingPanel.ts';
import { showFailure } from '../commands/registerCommand.ts';
import type { Panels } from '../parts.ts';
import { untrustedRefusal } from '../requireTrust.ts';
import { jobStanding } from '../views/stateWord.ts';
import { elsewhereRefusal, hostOf, isAway } from '../trainer/elsewhere.ts';
import type { Trainers } from '../trainer/trainers.ts';
import { savedCheckpoint } from '../../runs/checkpointFiles.ts';
import type { StoredRun } from '../../runs/list.ts';
import { keptEvaluation } from '../../runs/evaluations.ts';
import { readSettings } from '../settings.ts';
import { type ComparisonSource, createComparisonSession } from './comparisonSession.ts';
import { closeDormantTabs } from './dormantTabs.ts';
import { createPanel, hostPage, viewType } from './hostPage.ts';
import { createPanelMemory, newPanelId, type PanelMemory } from './panelMemory.ts';
import { obeyTrainingPage, type TrainingParts } from './trainingMessages.ts';
import { createTrainingSession, type ListedRun, type RunDetails } from './trainingSession.ts';
import { visible } from '../../protocol/visibleText.ts';
import { runTitle } from '../../protocol/runTitle.ts';

const shownSchema = z.object({ folders: z.array(z.string()) });
type Shown = z.infer<typeof shownSchema>;

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

interface PanelSurroundings {
  readonly context: vscode.ExtensionContext;
  readonly parts: TrainingParts;
  readonly memory: PanelMemory<Shown>;
  /** Shows runs in another panel: what was asked for in this one may begin after it has been closed. */
  readonly showElsewhere: (folders: readonly string[]) => void;
}

/** Puts the page into a panel, shows these runs, and remembers for as long as it is open which ones it shows. */
function fillPanel(
  panel: vscode.WebviewPanel,
  id: string,
  folders: readonly string[],
  { context, parts, memory, showElsewhere }: PanelSurroundings,
): OpenPanel {
  const { log, runs, trainers } = parts;
  const connection = hostPage<TrainingPanelToPage, TrainingPanelToHost>(panel, context, {
    name: 'training',
    panelId: id,
    log,
    schema: trainingPanelToHostSchema,
    replay: () => {
      session.replay();
      comparison.replay();
    },
    receive: (message) => {
      void obeyTrainingPage(message, { session, comparison, show, post: connection.post }, parts).catch(
        (error: unknown) => showFailure(error, log),
      );
    },
  });
  const session = createTrainingSession(
    { runs: () => runs.runs.map(listed), details: (run) => detailsOf(run, trainers), follow: trainers.follow },
    connection.post,
  );
  const comparison = createComparisonSession(comparisonSource(parts), connection.post);
  let wanted: readonly string[] = [];
  let isClosed = false;
  const show = (next: readonly string[]) => {
    if (isClosed) {
      showElsewhere(next);
      return;
    }
    wanted = next;
    session.show(wanted);
    memory.remember(id, { folders: [...session.folders] });
    panel.title = titleOf(session.folders);
  };
  const listeners = [
    runs.onDidChange(() => session.refresh()),
    trainers.onDidAsk(() => session.refresh()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => session.refresh()),
    runs.onDidChangeCheckpoints((run) => {
      if (session.folders.includes(run)) comparison.refresh();
    }),
  ];
  panel.onDidDispose(() => {
    isClosed = true;
    for (const listener of listeners) listener.dispose();
    session.dispose();
    comparison.dispose();
    memory.forget(id);
  });
  show(folders);
  return {
    panel,
    get wanted() {
      return wanted;
    },
    show,
  };
}

/** The training panel, of which there is one: it shows one run, or several over each other. */
export function registerTrainingPanel(context: vscode.ExtensionContext, parts: TrainingParts): TrainingPanels {
  const { log, runs } = parts;
  const memory = createPanelMemory<Shown>(context.workspaceState, shownSchema);
  let open: OpenPanel | undefined;

  function fill(panel: vscode.WebviewPanel, id: string, folders: readonly string[]): void {
    const filled = fillPanel(panel, id, folders, { context, parts, memory, showElsewhere: (next) => showRuns(next) });
    open = filled;
    panel.onDidDispose(() => {
      if (open === filled) open = undefined;
    });
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

function comparisonSource({ runs, service, log }: TrainingParts): ComparisonSource {
  return {
    runs: (folders) =>
      folders.flatMap((folder) => {
        const run = runs.get(folder);
        return run ? [{ folder, record: run.record, checkpoint: savedCheckpoint(folder) }] : [];
      }),
    kept: (checkpoint, wanted) => keptEvaluation(checkpoint, wanted, (reason) => log.warn(reason)),
    evaluate: async ({ checkpoint, data, split, cropCount: crops, signal, onAnswer }) => {
      const { engine, device } = readSettings();
      const request = { type: 'evaluate' as const, checkpoint, data, split, crops, engine, device };
      await service.request(request, { onAnswer, signal });
    },
  };
}

function listed(run: StoredRun): ListedRun {
  const { folder, record, state } = run;
  const job = jobStanding(run);
  const host = hostOf(run);
  const away = isAway(run) && state === record.state && { ...(host === undefined ? {} : { host }) };
  return { folder, record, brokenOff: state === 'broken off', ...(job && { job }), ...(away && { away }) };
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

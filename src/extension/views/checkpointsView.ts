import { basename, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { configurationUri } from '../commands/configurationDocuments.ts';
import type { LiveRuns } from '../trainer/liveRuns.ts';
import { networkName } from '../../protocol/networkName.ts';
import type { StoredRun } from '../../runs/list.ts';
import {
  checkpointMetadataIn,
  listRunCheckpoints,
  type RunCheckpoint,
  savedCheckpoint,
} from '../../runs/checkpointFiles.ts';
import { defaultRunName } from '../../runs/name.ts';
import type { DerivedRunState } from '../../runs/state.ts';
import { reachOf } from '../trainer/elsewhere.ts';
import type { RunStore } from '../trainer/runStore.ts';
import type { Trainers } from '../trainer/trainers.ts';
import { checkpointDescription, checkpointTooltip, rowTitle, runDescription, runTooltip } from './formatRun.ts';
import { focusedRows } from './focusedRows.ts';
import { fromRow, type CheckpointNode, type CheckpointsNode, type RunNode } from './treeNodes.ts';
import { visible } from '../../protocol/visibleText.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import { runTitle } from '../../protocol/runTitle.ts';

interface ViewParts {
  readonly runs: RunStore;
  readonly trainers: Trainers;
  readonly live: LiveRuns;
}

/** The rows of the view, for commands that are called by a key. */
export interface CheckpointRows {
  /** Those that a key means: see `focusedRows`. */
  readonly focused: () => Promise<readonly CheckpointsNode[]>;
  readonly dispose: () => void;
}

/** The *Checkpoints* view: runs, newest first, what waits in the queue above them, and inside a run its checkpoints. */
export function registerCheckpointsView(parts: ViewParts): CheckpointRows {
  const { runs, trainers, live } = parts;
  const changed = new vscode.EventEmitter<CheckpointsNode | undefined>();
  const nodes = new Map<string, CheckpointsNode>();
  const nodeOf = (folder: string): CheckpointsNode => {
    const node = nodes.get(folder) ?? { kind: 'run', folder };
    nodes.set(folder, node);
    return node;
  };
  const roots = (): CheckpointsNode[] => [
    ...trainers.queue.map((entry) => ({ kind: 'queued' as const, entry })),
    ...runs.runs.map(({ folder }) => nodeOf(folder)),
    ...runs.unreadable.map((run) => ({ kind: 'unreadable' as const, ...run })),
  ];
  const view = vscode.window.createTreeView<CheckpointsNode>('fivecrop.checkpoints', {
    canSelectMany: true,
    showCollapseAll: true,
    dragAndDropController: dragOfSettings,
    treeDataProvider: {
      onDidChangeTreeData: changed.event,
      getParent: (node) => (node.kind === 'checkpoint' ? nodeOf(node.folder) : undefined),
      getChildren: async (node) => {
        if (node === undefined) {
          await runs.load();
          return roots();
        }
        return node.kind === 'run' ? checkpointNodes(node.folder) : [];
      },
      getTreeItem: (node) => itemOf(node, parts),
      resolveTreeItem: async (item, node) => {
        item.tooltip = await tooltipOf(node, runs);
        return item;
      },
    },
  });
  const showBadge = (): void => {
    const value = live.all().length;
    const tooltip = value === 1 ? l10n.t('1 run is training') : l10n.t('{0} runs are training', value);
    view.badge = value === 0 ? undefined : { value, tooltip };
  };
  const shown = new Set<string>();
  const newDescriptions = watchDescriptions(parts);
  const refresh = (folders: readonly string[]): void => {
    showBadge();
    // A run that came, went or cannot be read changes the list; any other only its own row.
    const moved = folders.some((folder) => !shown.has(folder) || runs.get(folder) === undefined);
    for (const folder of folders) {
      if (runs.get(folder) !== undefined) shown.add(folder);
      else {
        shown.delete(folder);
        nodes.delete(folder);
      }
    }
    if (moved || folders.length > 20) changed.fire(undefined);
    else for (const folder of folders) changed.fire(nodeOf(folder));
  };
  const disposable = vscode.Disposable.from(
    view,
    changed,
    runs.onDidChange(refresh),
    runs.onDidChangeCheckpoints((folder) => {
      if (runs.get(folder) !== undefined) changed.fire(nodeOf(folder));
    }),
    trainers.onDidChangeQueue(() => changed.fire(undefined)),
    trainers.onDidAsk((folder) => {
      if (runs.get(folder) !== undefined) changed.fire(nodeOf(folder));
    }),
    live.onDidChange(() => {
      showBadge();
      if (view.visible) for (const folder of newDescriptions()) changed.fire(nodeOf(folder));
    }),
  );
  return { focused: () => focusedRows(view), dispose: () => void disposable.dispose() };
}

/**
 * What stands beside the runs that train, watched: returns the folders of those beside which it is another than at the
 * last call. Their rows are drawn again, not at every step.
 */
function watchDescriptions({ runs, trainers, live }: ViewParts): () => readonly string[] {
  let before: ReadonlyMap<string, string> = new Map();
  return () => {
    const now = new Map<string, string>();
    for (const { folder, step } of live.all()) {
      const run = runs.get(folder);
      now.set(folder, run === undefined ? '' : runDescription(asShown(run, trainers), step?.epoch));
    }
    const changed = [...now.keys()].filter((folder) => before.get(folder) !== now.get(folder));
    before = now;
    return changed;
  };
}

/** Rows that are dragged into the editor area open the settings of their runs; as text they are their paths. */
const dragOfSettings: vscode.TreeDragAndDropController<CheckpointsNode> = {
  dragMimeTypes: ['text/uri-list'],
  dropMimeTypes: [],
  handleDrag: (nodes, transfer) => {
    const uris = nodes.map((node) =>
      node.kind === 'unreadable' ? vscode.Uri.file(join(node.folder, runFiles.record)) : configurationUri(node),
    );
    const paths = nodes.flatMap((node) => (node.kind === 'queued' ? [] : 'path' in node ? node.path : node.folder));
    transfer.set('text/uri-list', new vscode.DataTransferItem([...new Set(uris.map(String))].join('\r\n')));
    transfer.set('text/plain', new vscode.DataTransferItem(paths.join('\n')));
  },
};

/** A run that was asked to stop does so, also before its process has written that down. */
function asShown(run: StoredRun, { requestOf }: Pick<Trainers, 'requestOf'>): StoredRun {
  return requestOf(run.folder) === 'stop' ? { ...run, state: 'stopping' } : run;
}

async function checkpointNodes(folder: string): Promise<CheckpointsNode[]> {
  const found = await listRunCheckpoints(folder);
  return found.map((checkpoint) => {
    const node: CheckpointNode = { kind: 'checkpoint', folder, path: checkpoint.path };
    headers.set(node, checkpoint);
    return node;
  });
}

/** What the rows on show say, for as long as the tree has them; read when a run is opened there. */
const headers = new WeakMap<CheckpointNode, RunCheckpoint>();

function itemOf(node: CheckpointsNode, { runs, live, trainers }: ViewParts): vscode.TreeItem {
  switch (node.kind) {
    case 'run': {
      const run = runs.get(node.folder);
      if (run === undefined) return new vscode.TreeItem(node.folder);
      return runItem(asShown(run, trainers), node, live.get(node.folder)?.step?.epoch);
    }
    case 'checkpoint':
      return checkpointItem(node);
    case 'queued': {
      const { config, name, resume } = node.entry.request;
      const item = new vscode.TreeItem(
        visible(rowTitle(name ?? defaultRunName(networkName(config.network), config.method))),
      );
      item.id = `queued ${node.entry.id}`;
      item.description = resume === undefined ? l10n.t('queued') : l10n.t('queued to resume');
      item.iconPath = new vscode.ThemeIcon('clock');
      item.contextValue = 'queued';
      return item;
    }
    case 'unreadable': {
      const item = new vscode.TreeItem(visible(basename(node.folder)));
      item.description = l10n.t('cannot be read');
      item.iconPath = new vscode.ThemeIcon('warning');
      item.contextValue = 'unreadable';
      return item;
    }
  }
}

const stateIcons: Readonly<Record<DerivedRunState, readonly [icon: string, colour?: string]>> = {
  preparing: ['loading~spin'],
  running: ['sync~spin', 'charts.blue'],
  paused: ['debug-pause', 'charts.blue'],
  stopping: ['loading~spin'],
  finished: ['pass', 'testing.iconPassed'],
  stopped: ['circle-slash'],
  failed: ['error', 'testing.iconFailed'],
  queued: ['clock'],
  'broken off': ['debug-disconnect', 'list.warningForeground'],
};

function runItem(run: StoredRun, node: RunNode, epoch: number | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(visible(rowTitle(run.record.name)), vscode.TreeItemCollapsibleState.Collapsed);
  const [icon, colour] = stateIcons[run.state];
  item.id = run.folder;
  item.description = visible(runDescription(run, epoch));
  item.iconPath = new vscode.ThemeIcon(icon, colour === undefined ? undefined : new vscode.ThemeColor(colour));
  item.contextValue = contextOf(run);
  item.command = { command: 'fivecrop.showRun', title: l10n.t('Show Run'), arguments: [node, fromRow] };
  item.accessibilityInformation = { label: `${runTitle(run.record.name)}, ${runDescription(run, epoch)}` };
  return item;
}

/** Which commands the row offers: none that would control a run that cannot be reached, or use a checkpoint that is not there. */
function contextOf(run: StoredRun): string {
  const { folder, state, job } = run;
  const saved = savedCheckpoint(folder) === undefined ? '' : ':saved';
  const given = job === undefined ? '' : ':job';
  return `run:${state.replace(' ', '-')}${saved}${given}:${reachWords[reachOf(run) ?? 'elsewhere']}`;
}

/** The end of a row's context: how its run can be asked. */
const reachWords = { here: 'live', folder: 'away', elsewhere: 'elsewhere', none: 'ended' } as const;

function checkpointItem(node: CheckpointNode): vscode.TreeItem {
  const { path } = node;
  const checkpoint = headers.get(node);
  const item = new vscode.TreeItem(visible(checkpoint?.name ?? path));
  item.id = path;
  item.description = checkpointDescription(checkpoint?.metadata);
  item.iconPath = new vscode.ThemeIcon(checkpoint?.name === 'best' ? 'star-full' : 'file-binary');
  item.contextValue = checkpoint?.metadata === undefined ? 'checkpoint:unreadable' : 'checkpoint';
  return item;
}

async function tooltipOf(node: CheckpointsNode, runs: RunStore): Promise<string | vscode.MarkdownString> {
  switch (node.kind) {
    case 'run': {
      const run = runs.get(node.folder);
      return run === undefined ? '' : new vscode.MarkdownString(runTooltip(run));
    }
    case 'checkpoint':
      return new vscode.MarkdownString(checkpointTooltip(node.path, await checkpointMetadataIn(node.path)));
    case 'queued':
      return l10n.t('Starts when no other run is training, on {0}.', node.entry.request.config.data);
    case 'unreadable':
      return visible(node.reason);
  }
}

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
import { type DerivedRunState, isUnfollowed } from '../../runs/state.ts';
import { reachOf } from '../trainer/elsewhere.ts';
import type { RunStore } from '../trainer/runStore.ts';
import type { Trainers } from '../trainer/trainers.ts';
import { passingFailures, type StoredSweep } from '../../runs/storedSweep.ts';
import { sweepFiles } from '../../protocol/sweep.ts';
import { nameOfSweep, runsOf } from '../trainer/sweepCatalogue.ts';
import {
  checkpointDescription,
  checkpointTooltip,
  rowTitle,
  runDescription,
  runTooltip,
  shortTitle,
} from './formatRun.ts';
import { sweepDescription, sweepTooltip } from './formatSweep.ts';
import { focusedRows } from './focusedRows.ts';
import { fromRow, type CheckpointNode, type CheckpointsNode, type RunNode, type SweepNode } from './treeNodes.ts';
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

/**
 * The *Checkpoints* view: runs and sweeps, newest first, what waits in the queue above them, inside a sweep the runs of its
 * trials, best first, and inside a run its checkpoints.
 */
export function registerCheckpointsView(parts: ViewParts): CheckpointRows {
  const { runs, trainers, live } = parts;
  const changed = new vscode.EventEmitter<CheckpointsNode | undefined>();
  const [runNodes, sweepNodes] = [nodesOfKind('run'), nodesOfKind('sweep')];
  const nodeOf = runNodes.of;
  const roots = (): CheckpointsNode[] => [
    ...trainers.queue.map((entry) => ({ kind: 'queued' as const, entry })),
    ...newestFirst(runs).map(({ folder, isSweep }) => (isSweep ? sweepNodes.of(folder) : nodeOf(folder))),
    ...[...runs.unreadable, ...runs.sweeps.unreadable()].map((run) => ({ kind: 'unreadable' as const, ...run })),
  ];
  const parentOf = (node: CheckpointsNode): CheckpointsNode | undefined => {
    if (node.kind === 'checkpoint') return nodeOf(node.folder);
    const sweep = node.kind === 'run' ? runs.sweeps.ofRun(node.folder) : undefined;
    return sweep && sweepNodes.of(sweep.folder);
  };
  const view = vscode.window.createTreeView<CheckpointsNode>('fivecrop.checkpoints', {
    canSelectMany: true,
    showCollapseAll: true,
    dragAndDropController: dragOfSettings,
    treeDataProvider: {
      onDidChangeTreeData: changed.event,
      getParent: parentOf,
      getChildren: async (node) => {
        if (node === undefined) {
          await runs.load();
          return roots();
        }
        if (node.kind === 'sweep') return trialRuns(node.folder, runs).map(nodeOf);
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
  const newDescriptions = watchDescriptions(parts);
  const redraw = redrawing(runs, { runNodes, sweepNodes }, (node) => changed.fire(node));
  const disposable = vscode.Disposable.from(
    view,
    changed,
    runs.onDidChange((folders) => {
      showBadge();
      redraw.runs(folders);
    }),
    runs.onDidChangeSweeps(redraw.sweeps),
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

/** The nodes of a kind by their folders: the tree knows a row by its node. */
interface Nodes {
  readonly of: (folder: string) => CheckpointsNode;
  readonly forget: (folder: string) => void;
}

function nodesOfKind(kind: 'run' | 'sweep'): Nodes {
  const nodes = new Map<string, CheckpointsNode>();
  return {
    of: (folder) => {
      const node = nodes.get(folder) ?? { kind, folder };
      nodes.set(folder, node);
      return node;
    },
    forget: (folder) => void nodes.delete(folder),
  };
}

/** Has rows drawn again where runs or sweeps changed: `redraw` gets a node, or undefined for the whole tree. */
function redrawing(
  { get, sweeps }: Pick<RunStore, 'get' | 'sweeps'>,
  { runNodes, sweepNodes }: { readonly runNodes: Nodes; readonly sweepNodes: Nodes },
  redraw: (node: CheckpointsNode | undefined) => void,
) {
  const shown = new Set<string>();
  /** Of the folders, those that came or went. */
  const movedOf = (folders: readonly string[], isThere: (folder: string) => boolean, nodes: Nodes): string[] => {
    const moved = folders.filter((folder) => !shown.has(folder) || !isThere(folder));
    for (const folder of folders) {
      if (isThere(folder)) shown.add(folder);
      else {
        shown.delete(folder);
        nodes.forget(folder);
      }
    }
    return moved;
  };
  return {
    runs: (folders: readonly string[]): void => {
      // A run that came, went or cannot be read changes the list that it is in; any other only its own row.
      const moved = movedOf(folders, (folder) => get(folder) !== undefined, runNodes);
      const lists = new Set(moved.map((folder) => sweeps.ofRun(folder)?.folder));
      if (lists.has(undefined) || folders.length > 20) redraw(undefined);
      else {
        for (const sweep of lists) if (sweep !== undefined) redraw(sweepNodes.of(sweep));
        for (const folder of folders) if (!moved.includes(folder)) redraw(runNodes.of(folder));
      }
    },
    sweeps: (folders: readonly string[]): void => {
      const moved = movedOf(folders, (folder) => sweeps.get(folder) !== undefined, sweepNodes);
      if (moved.length > 0) redraw(undefined);
      else for (const folder of folders) redraw(sweepNodes.of(folder));
    },
  };
}

/** The runs that are of no sweep, and the sweeps, newest first. */
function newestFirst({ runs, sweeps }: Pick<RunStore, 'runs' | 'sweeps'>) {
  const own = runs
    .filter(({ folder }) => sweeps.ofRun(folder) === undefined)
    .map(({ folder, record }) => ({ folder, created: record.created, isSweep: false }));
  const all = sweeps.sweeps().map(({ folder, record }) => ({ folder, created: record.created, isSweep: true }));
  return [...own, ...all].sort((a, b) => b.created.localeCompare(a.created));
}

/** Folders of the runs of a sweep's trials that are there, best first. */
function trialRuns(folder: string, { sweeps, get }: Pick<RunStore, 'sweeps' | 'get'>): readonly string[] {
  const sweep = sweeps.get(folder);
  return sweep === undefined ? [] : runsOf(sweep).filter((run) => get(run) !== undefined);
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
    const uris = nodes.map((node) => {
      if (node.kind === 'sweep') return vscode.Uri.file(join(node.folder, sweepFiles.record));
      return node.kind === 'unreadable' ? vscode.Uri.file(join(node.folder, runFiles.record)) : configurationUri(node);
    });
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
    case 'sweep': {
      const sweep = runs.sweeps.get(node.folder);
      return sweep === undefined ? new vscode.TreeItem(node.folder) : sweepItem(sweep, node);
    }
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

function sweepItem(sweep: StoredSweep, node: SweepNode): vscode.TreeItem {
  const name = nameOfSweep(sweep);
  const { Collapsed, None } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(visible(shortTitle(name)), runsOf(sweep).length > 0 ? Collapsed : None);
  const [icon, colour] = stateIcons[sweep.state];
  item.id = sweep.folder;
  item.description = visible(sweepDescription(sweep));
  item.iconPath = new vscode.ThemeIcon(icon, colour === undefined ? undefined : new vscode.ThemeColor(colour));
  const isInPart = sweep.state === 'finished' && passingFailures(sweep) > 0;
  item.contextValue = `sweep:${isInPart ? 'finished-in-part' : sweep.state.replace(' ', '-')}`;
  item.command = { command: 'fivecrop.showSweep', title: l10n.t('Show Sweep'), arguments: [node] };
  item.accessibilityInformation = { label: l10n.t('Sweep {0}, {1}', name, sweepDescription(sweep)) };
  return item;
}

/** Which commands the row offers: none that would control a run that cannot be reached, or use a checkpoint that is not there. */
function contextOf(run: StoredRun): string {
  const { folder, state, job } = run;
  const saved = savedCheckpoint(folder) === undefined ? '' : ':saved';
  const given = job === undefined ? '' : isUnfollowed(run) ? ':job:unfollowed' : ':job';
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
    case 'sweep': {
      const sweep = runs.sweeps.get(node.folder);
      return sweep === undefined ? '' : new vscode.MarkdownString(sweepTooltip(sweep));
    }
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

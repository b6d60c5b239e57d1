import { existsSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { Parts } from '../parts.ts';
import { signalOf } from '../service/signalOf.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { watchDataFolder } from './watchDataFolder.ts';
import { dataTooltip } from './dataTooltip.ts';
import { dataLayout, listClasses, listImages, readDisplayNames } from './listData.ts';
import type { ClassNode, DataFolderNode, DataNode } from './treeNodes.ts';
import { visible } from '../../protocol/visibleText.ts';
import { classCount, imageCount } from '../counts.ts';

/** Classes of a split and images of a class that the tree shows; the rest is in the explorer. */
const shownClasses = 1000;
const shownImages = 200;
/** Milliseconds over which changes of a data folder are gathered. */
const settle = 500;

type ViewParts = Pick<Parts, 'runs' | 'service' | 'log'> & { readonly dataFolders: DataFolders };

/** The *Data* view: the folders that were used, their splits, classes with counts, and images, which open at a click. */
export function registerDataView({ runs, dataFolders, service, log }: ViewParts): vscode.Disposable {
  const changed = new vscode.EventEmitter<DataNode | undefined>();
  const watchers = new Map<string, vscode.Disposable>();
  const facts = new Map<string, string>();
  const watch = (node: DataFolderNode): void => {
    if (watchers.has(node.folder)) return;
    watchers.set(
      node.folder,
      watchFolder(node.folder, () => changed.fire(undefined)),
    );
  };
  const view = vscode.window.createTreeView<DataNode>('fivecrop.data', {
    showCollapseAll: true,
    treeDataProvider: {
      onDidChangeTreeData: changed.event,
      getChildren: async (node) => {
        if (node === undefined) {
          await runs.load();
          return dataFolders.all().map((folder) => ({ kind: 'data', folder }));
        }
        if (node.kind === 'data') watch(node);
        return childrenOf(node, facts);
      },
      getTreeItem: (node) => itemOf(node, facts),
      resolveTreeItem: async (item, node, token) => {
        item.tooltip = await dataTooltip(node, { service, log, signal: signalOf(token) });
        return item;
      },
    },
  });
  return vscode.Disposable.from(
    view,
    changed,
    dataFolders.onDidChange(() => changed.fire(undefined)),
    view.onDidCollapseElement(({ element }) => {
      if (element.kind !== 'data') return;
      watchers.get(element.folder)?.dispose();
      watchers.delete(element.folder);
    }),
    { dispose: () => watchers.forEach((watcher) => void watcher.dispose()) },
  );
}

async function childrenOf(node: DataNode, facts: Map<string, string>): Promise<DataNode[]> {
  switch (node.kind) {
    case 'data': {
      const layout = await dataLayout(node.folder);
      if (layout === undefined) return [];
      if (layout.splits.length === 0) return classNodes(node.folder, node.folder, facts);
      const splits = layout.splits.map((name) => ({ name, folder: join(node.folder, name) }));
      await Promise.all(splits.map(({ folder }) => classNodes(folder, node.folder, facts)));
      return splits.map((split) => ({ kind: 'split', data: node.folder, ...split }));
    }
    case 'split':
      return classNodes(node.folder, node.data, facts);
    case 'class':
      return imageNodes(node);
    case 'image':
    case 'more':
      return [];
  }
}

async function classNodes(folder: string, data: string, facts: Map<string, string>): Promise<DataNode[]> {
  const [classes, names] = await Promise.all([listClasses(folder), readDisplayNames(data)]);
  const shown = classes.slice(0, shownClasses);
  for (const { path, name, images } of shown) {
    facts.set(path, [...(names.has(name) ? [name] : []), imageCount(images)].join(' · '));
  }
  const total = classes.reduce((sum, { images }) => sum + images, 0);
  facts.set(folder, l10n.t('{0} in {1}', imageCount(total), classCount(classes.length)));
  const nodes = shown.map(({ path, name }): DataNode => ({
    kind: 'class',
    folder: path,
    data,
    name: names.get(name) ?? name,
  }));
  const rest = classes.length - shown.length;
  return withMore(nodes, folder, rest, rest === 1 ? l10n.t('1 more class') : l10n.t('{0} more classes', rest));
}

async function imageNodes({ folder }: ClassNode): Promise<DataNode[]> {
  const images = await listImages(folder);
  const nodes: DataNode[] = images.slice(0, shownImages).map((path) => ({ kind: 'image', path, folder }));
  const rest = images.length - nodes.length;
  return withMore(nodes, folder, rest, rest === 1 ? l10n.t('1 more image') : l10n.t('{0} more images', rest));
}

function withMore(nodes: readonly DataNode[], folder: string, rest: number, label: string): DataNode[] {
  return rest === 0 ? [...nodes] : [...nodes, { kind: 'more', folder, label }];
}

function itemOf(node: DataNode, facts: ReadonlyMap<string, string>): vscode.TreeItem {
  const { Collapsed, None } = vscode.TreeItemCollapsibleState;
  switch (node.kind) {
    case 'data': {
      const isThere = existsSync(node.folder);
      const place = placeOf(node.folder);
      return described(new vscode.TreeItem(visible(basename(node.folder)), isThere ? Collapsed : None), {
        id: `${node.folder}${isThere ? '' : ' gone'}`,
        description: isThere ? place : [place, l10n.t('is gone')].filter((part) => part !== '').join(' · '),
        iconPath: new vscode.ThemeIcon(isThere ? 'database' : 'warning'),
        contextValue: isThere ? 'data' : 'data:gone',
        tooltip: isThere ? node.folder : l10n.t('{0} no longer exists.', node.folder),
      });
    }
    case 'split':
      return described(new vscode.TreeItem(node.name, Collapsed), {
        id: node.folder,
        description: facts.get(node.folder) ?? '',
        iconPath: new vscode.ThemeIcon('folder'),
        contextValue: 'split',
      });
    case 'class':
      return described(new vscode.TreeItem(visible(node.name), Collapsed), {
        id: node.folder,
        description: visible(facts.get(node.folder) ?? ''),
        iconPath: new vscode.ThemeIcon('tag'),
        contextValue: 'class',
      });
    case 'image': {
      const resourceUri = vscode.Uri.file(node.path);
      return described(new vscode.TreeItem(visible(relative(node.folder, node.path)), None), {
        id: node.path,
        resourceUri,
        iconPath: new vscode.ThemeIcon('file-media'),
        contextValue: 'image',
        command: { command: 'vscode.open', title: l10n.t('Open'), arguments: [resourceUri, { preview: true }] },
      });
    }
    case 'more':
      return described(new vscode.TreeItem(node.label, None), {
        description: l10n.t('show them in the explorer'),
        contextValue: 'more',
        command: { command: 'revealInExplorer', title: l10n.t('Reveal'), arguments: [vscode.Uri.file(node.folder)] },
      });
  }
}

/** Where a data folder lies: nothing for one directly in the workspace. */
function placeOf(folder: string): string {
  const parent = dirname(folder);
  const isRoot = vscode.workspace.workspaceFolders?.some(({ uri }) => uri.fsPath === parent || uri.fsPath === folder);
  return isRoot === true ? '' : vscode.workspace.asRelativePath(parent);
}

function described(item: vscode.TreeItem, facts: Partial<vscode.TreeItem>): vscode.TreeItem {
  return Object.assign(item, facts);
}

/** Several changes within `settle` count as one. */
function watchFolder(folder: string, onChange: () => void): vscode.Disposable {
  let timer: NodeJS.Timeout | undefined;
  const later = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      onChange();
    }, settle);
  };
  return vscode.Disposable.from(watchDataFolder(folder, later), { dispose: () => clearTimeout(timer) });
}

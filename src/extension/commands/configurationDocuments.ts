import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { userError } from '../../protocol/errors.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { fileNameOf } from '../panels/saveExport.ts';
import type { Parts } from '../parts.ts';
import type { CheckpointNode, QueuedNode, RunNode } from '../views/treeNodes.ts';
import { trainingConfigText } from './trainingConfigFile.ts';

/** Under which the settings of runs are read as documents; their title bar has *Train with This*. */
export const configurationScheme = 'fivecrop-configuration';

/** What has settings that can be shown. */
export type ConfiguredNode = RunNode | CheckpointNode | QueuedNode;

/** The document with the settings of a run, or of one that waits: `sgd.fivecrop.json`, which can be read only. */
export function configurationUri(node: ConfiguredNode): vscode.Uri {
  const isQueued = node.kind === 'queued';
  const name = isQueued ? 'waiting' : runTitle(vscode.Uri.file(node.folder).path.split('/').at(-1) ?? '');
  const query = isQueued ? `queued=${node.entry.id}` : `run=${node.folder}`;
  return vscode.Uri.from({ scheme: configurationScheme, path: `/${fileNameOf(name)}.fivecrop.json`, query });
}

/** Whose settings a document shows. Throws a user error if that is not there any more. */
export function configuredNode({ query }: vscode.Uri, { runs, trainers }: Pick<Parts, 'runs' | 'trainers'>) {
  const [, kind, value = ''] = /^(run|queued)=(.*)$/s.exec(query) ?? [];
  const run = kind === 'run' ? runs.get(value) : undefined;
  const entry = kind === 'queued' ? trainers.queue.find(({ id }) => String(id) === value) : undefined;
  if (run !== undefined) return { node: { kind: 'run', folder: value } as const, config: run.record.config };
  if (entry !== undefined) return { node: { kind: 'queued', entry } as const, config: entry.request.config };
  throw userError(l10n.t('The run with these settings no longer exists.'));
}

/** Fills the documents from what is known of the runs, and again when that changes. */
export function registerConfigurationDocuments(parts: Pick<Parts, 'runs' | 'trainers'>): vscode.Disposable {
  const changed = new vscode.EventEmitter<vscode.Uri>();
  return vscode.Disposable.from(
    changed,
    parts.runs.onDidChange((folders) => {
      for (const folder of folders) changed.fire(configurationUri({ kind: 'run', folder }));
    }),
    vscode.workspace.registerTextDocumentContentProvider(configurationScheme, {
      onDidChange: changed.event,
      provideTextDocumentContent: async (uri) => {
        await parts.runs.load();
        return trainingConfigText(configuredNode(uri, parts).config);
      },
    }),
  );
}

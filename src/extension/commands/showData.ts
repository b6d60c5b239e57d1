import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { trainingConfigSchema, type TrainingConfig } from '../../protocol/trainingConfig.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { answerOf } from '../service/answerOf.ts';
import { withProgress } from '../service/showProgress.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { chooseData } from './chooseData.ts';
import { dataReportText } from './dataReportText.ts';
import { registerCommand } from './registerCommand.ts';
import { createVirtualDocuments, type VirtualDocuments } from './virtualDocuments.ts';

type DataParts = Pick<Parts, 'log' | 'runs' | 'service'> & { readonly dataFolders: DataFolders };

/** *Show What Is in the Data*. */
export function registerShowData(parts: DataParts): vscode.Disposable {
  const documents = createVirtualDocuments('fivecrop-report');
  return vscode.Disposable.from(
    documents,
    registerCommand('fivecrop.showData', parts.log, (argument: unknown) => showData(parts, documents, argument)),
  );
}

/** Looks through all images, which can take minutes, and shows what was found as a document. */
async function showData({ service, runs, dataFolders }: DataParts, documents: VirtualDocuments, argument: unknown) {
  requireTrust('checkingData');
  const node = nodeFrom(argument);
  const data =
    node?.kind === 'data'
      ? node.folder
      : await chooseData(l10n.t('Show what is in the data of which folder?'), dataFolders.all());
  await runs.load();
  // As its newest run split it.
  const config = runs.runs.find(({ record }) => record.config.data === data)?.record.config ?? defaultsFor(data);
  const { validShare, testShare, seed, layout, classNames } = config;
  const names = classNames === undefined ? {} : { classNames };
  const request = { type: 'check' as const, data, quick: false, validShare, testShare, seed, layout, ...names };
  const { report } = await withProgress(l10n.t('Checking the data'), (call) =>
    answerOf(service, request, 'report', call),
  );
  await documents.preview('data.md', dataReportText(report));
}

function defaultsFor(data: string): TrainingConfig {
  return trainingConfigSchema.parse({ data, network: { kind: 'architecture', name: 'resnet18' } });
}

import { isAbsolute, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { TrainingPanelToHost, TrainingPanelToPage } from '../../protocol/trainingPanel.ts';
import { askForMirror, openWeightsFolder } from '../commands/offerWeights.ts';
import { prepareResume, trainWithout } from '../commands/resumeRun.ts';
import type { Parts } from '../parts.ts';
import type { RunNode } from '../views/treeNodes.ts';
import type { ReportFormat } from '../../protocol/comparisonReport.ts';
import { requireTrust } from '../requireTrust.ts';
import type { ComparisonSession } from './comparisonSession.ts';
import { pictureFor } from './pictureFor.ts';
import { saveExport } from './saveExport.ts';
import type { TrainingSession } from './trainingSession.ts';

export type TrainingParts = Pick<Parts, 'log' | 'runs' | 'trainers' | 'service'>;

/** The commands behind the page's buttons. */
const commands = {
  test: 'fivecrop.testCheckpoint',
  classify: 'fivecrop.classifyWithCheckpoint',
  exportModel: 'fivecrop.exportModel',
  trainAgain: 'fivecrop.trainAgain',
  configuration: 'fivecrop.showConfiguration',
} as const;

export interface TrainingControls {
  readonly session: TrainingSession;
  readonly comparison: ComparisonSession;
  readonly show: (folders: readonly string[]) => void;
  readonly post: (message: TrainingPanelToPage) => void;
}

async function resumeIn(
  { session, show }: Pick<TrainingControls, 'session' | 'show'>,
  parts: TrainingParts,
  of: string,
): Promise<void> {
  // The page says "Resuming" at once; while weights are looked for or the user is asked, that is not so.
  session.refresh();
  const resume = await prepareResume(parts, of);
  const folder = await resume();
  if (!session.folders.includes(folder)) show([folder, ...session.folders]);
}

/** Does what the page asks for. */
export async function obeyTrainingPage(
  message: Exclude<TrainingPanelToHost, { type: 'ready' }>,
  { session, comparison, show, post }: TrainingControls,
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
    case 'follow':
      return trainers.jobs.follow(message.folder);
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
    case 'exportModel':
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
    case 'compare':
      if (message.wish.test) requireTrust('testing');
      return comparison.compare(message.wish);
    case 'cancel':
      comparison.cancel();
      return;
    case 'exportComparison':
      return exportComparison(message.format, comparison, session.folders[0]);
    case 'reveal':
      await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(message.image));
      return;
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

async function exportComparison(
  format: ReportFormat,
  comparison: ComparisonSession,
  folder: string | undefined,
): Promise<void> {
  const report = comparison.report(format);
  if (!report) return;
  await saveExport({
    name: `comparison ${report.names.join('+')}`,
    format: format === 'markdown' ? 'md' : format,
    content: report.content,
    title: l10n.t('Export the comparison'),
    folder,
  });
}

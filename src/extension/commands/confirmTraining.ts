import * as vscode from 'vscode';
import type { DataReport } from '../../protocol/dataReport.ts';
import { CancelledError, messageOf, UserError } from '../../protocol/errors.ts';
import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import type { Parts } from '../parts.ts';
import { answerOf } from '../service/answerOf.ts';
import { networkName } from '../views/formatRun.ts';
import { dataReportText, isUneven } from './dataReportText.ts';
import { pickItem } from './quickQuestions.ts';
import { back, type Place } from './runSteps.ts';
import type { VirtualDocuments } from './virtualDocuments.ts';

export type Confirmation = 'start' | 'edit' | 'folder' | typeof back;

export interface ConfirmParts extends Pick<Parts, 'service'> {
  readonly documents: VirtualDocuments;
}

interface ConfirmQuestion {
  readonly config: TrainingConfig;
  readonly place: Place;
  /** Whether there is a file of settings to be made. */
  readonly canEdit: boolean;
  /** Called when the user wants classes weighed by their numbers, or no longer. */
  readonly onBalanced: (balanced: boolean) => void;
}

interface Item extends vscode.QuickPickItem {
  readonly does: 'start' | 'edit' | 'folder' | 'report' | 'balance' | 'nothing';
}

/**
 * The last question before a run: what the check of its data found, each finding with something to do, and *Start*. Where
 * the data cannot be trained on there is no *Start*, but the reason.
 */
export async function confirmTraining(parts: ConfirmParts, question: ConfirmQuestion): Promise<Confirmation> {
  const { config, place, canEdit, onBalanced } = question;
  const cancelling = new vscode.CancellationTokenSource();
  let report: DataReport | undefined;
  let balanced = config.classWeights === 'balanced';
  let showAgain = (): void => undefined;
  try {
    const picked = await pickItem<Item>({
      place,
      placeholder: 'Start, or look at what the data holds',
      items: async (show) => {
        show([...startItems(config, canEdit), item('$(loading~spin) Checking the data', 'nothing', config.data)]);
        try {
          const answer = await answerOf(parts.service, checkRequest(config), 'report', { token: cancelling.token });
          const found = (report = answer.report);
          showAgain = () => show(itemsFor(found, { config, canEdit, balanced }));
          showAgain();
        } catch (error) {
          if (error instanceof CancelledError) return;
          if (!(error instanceof UserError)) throw error;
          show(refusalItems([messageOf(error)]));
        }
      },
      active: ({ does }) => does === 'start' || does === 'folder',
      accept: ({ does }) => {
        if (does === 'report' && report !== undefined) void parts.documents.show('data.md', dataReportText(report));
        if (does === 'balance') {
          onBalanced((balanced = !balanced));
          showAgain();
        }
        return does === 'start' || does === 'edit' || does === 'folder';
      },
    });
    if (picked === back) return back;
    return picked.does === 'edit' || picked.does === 'folder' ? picked.does : 'start';
  } finally {
    cancelling.cancel();
    cancelling.dispose();
  }
}

function checkRequest({ data, validShare, testShare, seed, classNames }: TrainingConfig) {
  const names = classNames === undefined ? {} : { classNames };
  return { type: 'check' as const, data, quick: true, validShare, testShare, seed, ...names };
}

function item(label: string, does: Item['does'], detail?: string): Item {
  return { label, does, alwaysShow: true, ...(detail === undefined ? {} : { detail }) };
}

function separator(label: string): Item {
  return { label, does: 'nothing', kind: vscode.QuickPickItemKind.Separator };
}

function startItems(config: TrainingConfig, canEdit: boolean): Item[] {
  const { method, epochs, batchSize } = config;
  const what = `${networkName(config)}, ${method}, ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}, batches of ${batchSize}`;
  const edit = 'Opens a .fivecrop.json file with every setting, to run again and to share.';
  return [
    item('$(play) Start Training', 'start', what),
    ...(canEdit ? [item('$(settings-gear) Edit Settings First', 'edit', edit)] : []),
  ];
}

function itemsFor(
  report: DataReport,
  { config, canEdit, balanced }: { config: TrainingConfig; canEdit: boolean; balanced: boolean },
): Item[] {
  const { images, classes, findings } = report;
  const errors = findings.filter(({ level }) => level === 'error').map(({ message }) => message);
  if (errors.length > 0) return [...refusalItems(errors), item('$(list-unordered) Show the Report', 'report')];
  const counts = `${classes.length} classes; ${images.train} images to train on, ${images.valid} for validation, ${images.test} for testing`;
  const weigh = `$(${balanced ? 'check' : 'circle-large-outline'}) Weigh Classes by Their Number of Images`;
  return [
    ...startItems(config, canEdit),
    separator('data'),
    item('$(database) Show What Is in the Data', 'report', counts),
    ...findings.map(({ level, message }) => item(`$(${level}) ${titleOf(level)}`, 'report', message)),
    ...(isUneven(report) || balanced ? [item(weigh, 'balance', 'Rare classes count as much as frequent ones.')] : []),
  ];
}

function titleOf(level: DataReport['findings'][number]['level']): string {
  return level === 'warning' ? 'Look at This First' : 'Good to Know';
}

function refusalItems(reasons: readonly string[]): Item[] {
  return [
    item('$(folder-opened) Choose Another Folder', 'folder', 'This one cannot be trained on yet.'),
    separator('why'),
    ...reasons.map((reason) => item('$(error) Cannot Be Trained On', 'nothing', reason)),
  ];
}

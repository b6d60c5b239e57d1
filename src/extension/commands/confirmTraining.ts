import * as vscode from 'vscode';
import { networkName } from '../../protocol/networkName.ts';
import type { DataReport } from '../../protocol/dataReport.ts';
import { CancelledError, messageOf, UserError } from '../../protocol/errors.ts';
import type { ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import type { Parts } from '../parts.ts';
import { answerOf } from '../service/answerOf.ts';
import { freezesLayers, methodTexts } from './trainingChoices.ts';
import { dataReportText, halvesOf, isUneven } from './dataReportText.ts';
import { pickItem } from './quickQuestions.ts';
import { back, type Place } from './runSteps.ts';
import type { VirtualDocuments } from './virtualDocuments.ts';
import { inLabel } from '../plainText.ts';

export type Confirmation = 'start' | 'edit' | 'folder' | typeof back;

export interface ConfirmParts extends Pick<Parts, 'service'> {
  readonly documents: VirtualDocuments;
}

interface ConfirmQuestion {
  readonly config: TrainingConfig;
  readonly place: Place;
  /** Whether there is a file of settings to be made. */
  readonly canEdit: boolean;
  /** Called when the user ticks one of the settings that the list offers, or no longer wants it. */
  readonly onChange: (settings: OfferedSettings) => void;
}

/** Settings that can be ticked in the last question. */
export type OfferedSettings = Pick<TrainingConfig, 'classWeights' | 'frozenPrecision'>;

interface Item extends vscode.QuickPickItem {
  readonly does: 'start' | 'edit' | 'folder' | 'report' | 'tick' | 'nothing';
  /** What a tick changes. */
  readonly settings?: Partial<OfferedSettings>;
}

/**
 * The last question before a run: what the check of its data found, each finding with something to do, and *Start*. Where
 * the data cannot be trained on there is no *Start*, but the reason.
 */
export async function confirmTraining(parts: ConfirmParts, question: ConfirmQuestion): Promise<Confirmation> {
  const { config, place, canEdit, onChange } = question;
  const cancelling = new vscode.CancellationTokenSource();
  const { token } = cancelling;
  const shown: Shown = { config, canEdit, looking: false };
  let showAgain = (): void => undefined;
  try {
    const picked = await pickItem<Item>({
      place,
      placeholder: 'Start, or look at what the data holds',
      items: async (show, note) => {
        show([
          ...startItems(config, canEdit),
          item('$(loading~spin) Checking the data', 'nothing', inLabel(config.data)),
        ]);
        showAgain = () => show(itemsFor(shown));
        try {
          await lookThrough(parts.service, shown, { token, onChange: showAgain, note });
        } catch (error) {
          if (error instanceof CancelledError) return;
          if (!(error instanceof UserError)) throw error;
          show(refusalItems([messageOf(error)], canEdit));
        }
      },
      active: ({ does }) => does === 'start' || does === 'folder',
      accept: ({ does, settings }) => {
        if (does === 'report' && shown.report) void parts.documents.preview('data.md', dataReportText(shown.report));
        if (does === 'tick') {
          shown.config = { ...shown.config, ...settings };
          onChange(shown.config);
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

/** What the list is made from. */
interface Shown {
  config: TrainingConfig;
  readonly canEdit: boolean;
  report?: DataReport;
  /** Whether all images are being decoded. */
  looking: boolean;
}

interface Looking {
  readonly token: vscode.CancellationToken;
  /** Called when there is more to be shown. */
  readonly onChange: () => void;
  /** Called with how far it is. */
  readonly note: (text: string) => void;
}

/**
 * Fills in the report: first what can be told without decoding; then, where that leaves something to train on, the files
 * that do not decode, while a start need not wait.
 */
async function lookThrough(service: Parts['service'], shown: Shown, { token, onChange, note }: Looking): Promise<void> {
  const quick = await answerOf(service, checkRequest(shown.config, true), 'report', { token });
  shown.report = quick.report;
  const cannotTrain = quick.report.findings.some(({ level }) => level === 'error');
  shown.looking = !cannotTrain;
  onChange();
  if (cannotTrain) return;
  const onAnswer = (answer: ServiceAnswerBody) => {
    if (answer.type === 'progress') note(`${answer.done} of ${answer.total ?? '?'} images decoded`);
  };
  const whole = await answerOf(service, checkRequest(shown.config, false), 'report', { token, onAnswer });
  shown.report = whole.report;
  shown.looking = false;
  note('');
  onChange();
}

function checkRequest({ data, validShare, testShare, seed, layout, classNames }: TrainingConfig, quick: boolean) {
  const names = classNames === undefined ? {} : { classNames };
  return { type: 'check' as const, data, quick, validShare, testShare, seed, layout, ...names };
}

function item(label: string, does: Item['does'], detail?: string): Item {
  return { label, does, alwaysShow: true, ...(detail === undefined ? {} : { detail }) };
}

const lookingItem = item(
  '$(loading~spin) Looking for Files That Do Not Decode and for Copies',
  'nothing',
  'A start need not wait for it.',
);

function separator(label: string): Item {
  return { label, does: 'nothing', kind: vscode.QuickPickItemKind.Separator };
}

function startItems(config: TrainingConfig, canEdit: boolean): Item[] {
  const { method, epochs, batchSize } = config;
  const what = `${inLabel(networkName(config.network))}, ${methodTexts[method][0].toLowerCase()}, ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}, batches of ${batchSize}`;
  const edit = 'Opens a .fivecrop.json file with every setting, to run again and to share.';
  return [
    item('$(play) Start Training', 'start', what),
    ...(canEdit ? [item('$(settings-gear) Edit Settings First', 'edit', edit)] : []),
  ];
}

function itemsFor({ report, config, canEdit, looking }: Shown): Item[] {
  if (report === undefined) return startItems(config, canEdit);
  const { images, classes, findings } = report;
  const errors = findings.filter(({ level }) => level === 'error').map(({ message }) => message);
  if (errors.length > 0) return [...refusalItems(errors, canEdit), item('$(list-unordered) Show the Report', 'report')];
  const counts = `${classes.length} classes; ${images.train} images to train on, ${images.valid} for validation, ${images.test} for testing`;
  const balanced = config.classWeights === 'balanced';
  return [
    ...startItems(config, canEdit),
    ...(freezesLayers(config.method) ? [precisionItem(config)] : []),
    separator('data'),
    item('$(database) Show What Is in the Data', 'report', counts),
    ...(looking ? [lookingItem] : []),
    ...findings.map(({ level, message }) => findingItem(level, message, 'report')),
    ...(isUneven(report) || balanced ? [balanceItem(balanced)] : []),
  ];
}

function tick(ticked: boolean, label: string, detail: string, settings: Partial<OfferedSettings>): Item {
  return { ...item(`$(${ticked ? 'check' : 'circle-large-outline'}) ${label}`, 'tick', detail), settings };
}

function precisionItem({ frozenPrecision }: TrainingConfig): Item {
  const isInt8 = frozenPrecision === 'int8';
  const detail = 'Two to three times as fast on the CPU; the log says how far it moves what they give.';
  return tick(isInt8, 'Compute Frozen Layers in 8 Bits', detail, { frozenPrecision: isInt8 ? 'float32' : 'int8' });
}

function balanceItem(balanced: boolean): Item {
  const label = 'Weigh Classes by Their Number of Images';
  const classWeights = balanced ? 'none' : 'balanced';
  return tick(balanced, label, 'Rare classes count as much as frequent ones.', { classWeights });
}

/** A finding says what is the case, then what to do, which goes into the second line. */
function findingItem(icon: string, message: string, does: Item['does']): Item {
  const { what, todo } = halvesOf(inLabel(message));
  return item(`$(${icon}) ${what}`, does, todo);
}

/** Settings that come from a file name their folder there. */
function refusalItems(reasons: readonly string[], canEdit: boolean): Item[] {
  const choose = canEdit ? '$(folder-opened) Choose Another Folder' : '$(edit) Choose Another Folder in the File';
  return [
    item(choose, 'folder', 'This one cannot be trained on yet.'),
    separator('why'),
    ...reasons.map((reason) => findingItem('error', reason, 'nothing')),
  ];
}

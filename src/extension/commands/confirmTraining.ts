import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { type LookAhead, lookAheads } from '../../protocol/dryRunPanel.ts';
import { networkName } from '../../protocol/networkName.ts';
import { type DataReport, type Finding, unevenClasses } from '../../protocol/dataReport.ts';
import { CancelledError, messageOf, UserError } from '../../protocol/errors.ts';
import type { ServiceAnswerBody, WeightsOutlook } from '../../protocol/serviceProtocol.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { trainsWithoutWeights } from '../../protocol/weightsAdvice.ts';
import type { Parts } from '../parts.ts';
import { answerOf } from '../service/answerOf.ts';
import { settingsInWords } from './settingsInWords.ts';
import { freezesLayers } from './trainingChoices.ts';
import { megabytesText } from './networkTexts.ts';
import { askForMirror, openWeightsFolder, weightsActions } from './offerWeights.ts';
import { neededWeights, withoutPretrained } from './neededWeights.ts';
import { isLookAhead } from './lookAhead.ts';
import { lookForWeights } from './obtainWeights.ts';
import { showFailure } from './registerCommand.ts';
import { dataReportText } from './dataReportText.ts';
import { pickItem } from './quickQuestions.ts';
import { back, type QuestionPlace } from './runSteps.ts';
import type { VirtualDocuments } from './virtualDocuments.ts';
import { inLabel } from '../plainText.ts';

export type Confirmation = 'start' | 'edit' | 'folder' | LookAhead | typeof back;

export interface ConfirmParts extends Pick<Parts, 'log' | 'service'> {
  readonly documents: VirtualDocuments;
}

interface ConfirmQuestion {
  readonly config: GivenConfig;
  readonly place: QuestionPlace;
  /** Whether there is a file of settings to be made. */
  readonly canEdit: boolean;
  /** Called with the configuration as the list changes it. */
  readonly onChange: (config: GivenConfig) => void;
}

/** Settings that can be ticked. */
type TickedSettings = Pick<GivenConfig, 'classWeights' | 'frozenPrecision'>;

interface Item extends vscode.QuickPickItem {
  readonly does:
    | 'start'
    | 'edit'
    | 'folder'
    | 'report'
    | 'tick'
    | 'retry'
    | 'openWeightsFolder'
    | 'setMirror'
    | 'without'
    | 'another'
    | LookAhead
    | 'nothing';
  /** What a tick changes. */
  readonly settings?: Partial<TickedSettings>;
}

/**
 * The last question before a run: what the check of its data found, each finding with something to do, the download that
 * it needs, and *Start*. If the data cannot be trained on, or pretrained weights cannot be had, there is no *Start*, but
 * the reason and what can be done about it.
 */
export async function confirmTraining(parts: ConfirmParts, question: ConfirmQuestion): Promise<Confirmation> {
  let { config } = question;
  const onChange = (changed: GivenConfig): void => {
    config = changed;
    question.onChange(changed);
  };
  for (;;) {
    const picked = await askOnce(parts, { ...question, config, onChange });
    if (picked === back || picked.does === 'another') return back;
    if (picked.does === 'edit' || picked.does === 'folder' || isLookAhead(picked.does)) return picked.does;
    if (picked.does !== 'setMirror') {
      if (picked.does === 'without') onChange(withoutPretrained(config));
      return 'start';
    }
    await askForMirror();
  }
}

async function askOnce(parts: ConfirmParts, question: ConfirmQuestion): Promise<Item | typeof back> {
  const { config, place, canEdit, onChange } = question;
  const { service } = parts;
  const closing = new AbortController();
  const { signal } = closing;
  const shown: Shown = { config, canEdit, looking: true, cannotCheck: false, lookingForWeights: false };
  let showAgain = (): void => undefined;
  const lookAgain = () => lookAtWeights(service, shown, { signal, onChange: () => showAgain() });
  try {
    return await pickItem<Item>({
      place,
      placeholder: l10n.t('Start training, or see what is in the data'),
      items: async (show, note) => {
        let drawn = '';
        showAgain = () => {
          const items = itemsFor(shown);
          if (shown.cannotCheck || JSON.stringify(items) === drawn) return;
          drawn = JSON.stringify(items);
          show(items);
        };
        showAgain();
        const weights = lookAgain();
        try {
          await lookThrough(service, shown, { signal, onChange: showAgain, note });
        } catch (error) {
          if (error instanceof CancelledError) return;
          if (!(error instanceof UserError)) throw error;
          shown.cannotCheck = true;
          show(refusalItems([{ level: 'error', what: messageOf(error) }], canEdit));
        }
        await weights;
      },
      active: ({ does }) => does === 'start' || does === 'folder' || does === 'retry',
      accept: ({ does, settings }) => {
        if (does === 'report' && shown.report) void parts.documents.preview('data.md', dataReportText(shown.report));
        if (does === 'tick') {
          shown.config = { ...shown.config, ...settings };
          onChange(shown.config);
          showAgain();
        }
        if (does === 'retry') void lookAgain().catch((error: unknown) => showFailure(error, parts.log));
        if (does === 'openWeightsFolder') {
          void openWeightsFolder(service).catch((error: unknown) => showFailure(error, parts.log));
        }
        return ['start', 'edit', 'folder', 'setMirror', 'without', 'another', ...lookAheads].includes(does);
      },
    });
  } finally {
    closing.abort();
  }
}

/** What the list is made from. */
interface Shown {
  config: GivenConfig;
  readonly canEdit: boolean;
  report?: DataReport;
  /** Whether images are still to be decoded. */
  looking: boolean;
  /** Whether pretrained weights that could not be had are looked for again. */
  lookingForWeights: boolean;
  /** The data could not be looked at at all, and the list says why. */
  cannotCheck: boolean;
  /** Of the pretrained weights that the run needs; undefined while they are looked for the first time, and if it needs none. */
  weights?: WeightsOutlook | { readonly state: 'refused'; readonly reason: string } | undefined;
}

interface Looking {
  readonly signal: AbortSignal;
  /** Called when there is more to be shown. */
  readonly onChange: () => void;
}

/** Fills in what is known of the pretrained weights that the run needs. */
async function lookAtWeights(service: Parts['service'], shown: Shown, { signal, onChange }: Looking): Promise<void> {
  const needed = neededWeights(shown.config);
  if (needed === undefined) return;
  shown.lookingForWeights = true;
  onChange();
  try {
    shown.weights = await lookForWeights(service, needed, signal);
  } catch (error) {
    if (error instanceof CancelledError) return;
    if (!(error instanceof UserError)) throw error;
    shown.weights = { state: 'refused', reason: error.message };
  } finally {
    shown.lookingForWeights = false;
  }
  onChange();
}

/**
 * Fills in the report: first what can be told without decoding; then, where that leaves something to train on, the files
 * that do not decode, while a start need not wait.
 */
async function lookThrough(
  service: Parts['service'],
  shown: Shown,
  { signal, onChange, note }: Looking & { readonly note: (text: string) => void },
): Promise<void> {
  const quick = await answerOf(service, checkRequest(shown.config, true), 'report', { signal });
  shown.report = quick.report;
  const cannotTrain = quick.report.findings.some(({ level }) => level === 'error');
  shown.looking = !cannotTrain;
  onChange();
  if (cannotTrain) return;
  const onAnswer = (answer: ServiceAnswerBody) => {
    if (answer.type === 'progress') note(checkedNote(answer));
  };
  const whole = await answerOf(service, checkRequest(shown.config, false), 'report', { signal, onAnswer });
  shown.report = whole.report;
  shown.looking = false;
  note('');
  onChange();
}

function checkedNote({ done, total }: { readonly done: number; readonly total?: number | undefined }): string {
  return total === undefined ? l10n.t('{0} images checked', done) : l10n.t('{0} of {1} images checked', done, total);
}

/** Asks for a report of a configuration's data; a quick one decodes nothing. */
function checkRequest(config: GivenConfig, quick: boolean) {
  return { type: 'check' as const, quick, ...dataOf(config) };
}

/** The folder of images that a configuration names, as requests of the service have it. */
export function dataOf({ data, validShare, testShare, seed, layout, classNames }: GivenConfig) {
  return { data, validShare, testShare, seed, layout, ...(classNames === undefined ? {} : { classNames }) };
}

function item(label: string, does: Item['does'], detail?: string): Item {
  return { label, does, alwaysShow: true, ...(detail === undefined ? {} : { detail }) };
}

/** The check of all images, which keeps its row when it is done, so that those below stay where they are. */
function checkItem(looking: boolean): Item {
  return looking
    ? item(`$(loading~spin) ${l10n.t('Checking for Unreadable Images and Copies')}`, 'nothing', l10n.t('You can start now.')) // prettier-ignore
    : item(`$(pass) ${l10n.t('Checked for Unreadable Images and Copies')}`, 'nothing', l10n.t('Every image was decoded and compared with the others.')); // prettier-ignore
}

function separator(label: string): Item {
  return { label, does: 'nothing', kind: vscode.QuickPickItemKind.Separator };
}

/** *Start*, or, without the pretrained weights that it needs, what can be done about them. */
function startItems(shown: Shown): Item[] {
  const edit = l10n.t('Opens a .fivecrop.json file with every setting, to run again and to share.');
  return [
    ...firstItems(shown),
    ...(shown.canEdit ? [item(`$(settings-gear) ${l10n.t('Edit Settings First')}`, 'edit', edit)] : []),
  ];
}

function firstItems(shown: Shown): Item[] {
  const { config, weights, canEdit } = shown;
  if (weights?.state !== 'missing' && weights?.state !== 'refused') return [startItem(shown)];
  const another = canEdit
    ? [item(`$(arrow-left) ${l10n.t('Choose Another Network')}`, 'another', l10n.t('ConvNets need no download.'))]
    : [];
  if (weights.state === 'missing') return [...weightsItems(shown, weights.reason), ...another];
  const network = inLabel(networkName(config.network));
  return [item(`$(error) ${l10n.t('{0} Cannot Be Trained', network)}`, 'nothing', inLabel(weights.reason)), ...another];
}

function startItem({ config, weights }: Shown): Item {
  const download =
    weights?.state === 'remote'
      ? l10n.t('after a download of {0} from {1}', megabytesText(weights.bytes), inLabel(weights.host))
      : '';
  return { ...item(`$(play) ${l10n.t('Start Training')}`, 'start', settingsInWords(config)), description: download };
}

function weightsItems({ config, lookingForWeights }: Shown, reason: string): Item[] {
  // The list has one short line for it; the log has all of it.
  const why = /, because (.*)$/s.exec(reason)?.[1] ?? reason;
  const { retry, openFolder, setMirror, without } = weightsActions;
  const network = inLabel(networkName(config.network));
  const title = lookingForWeights
    ? `$(loading~spin) ${l10n.t('Looking for the Pretrained Weights of {0}', network)}`
    : `$(error) ${l10n.t('The Pretrained Weights of {0} Are Not Available', network)}`;
  return [
    item(title, 'nothing', inLabel(why)),
    item(`$(refresh) ${retry}`, 'retry', l10n.t('Looks for them again.')),
    item(
      `$(folder-opened) ${openFolder}`,
      'openWeightsFolder',
      l10n.t('Put a file that you have into it, then try again.'),
    ),
    item(
      `$(globe) ${setMirror}`,
      'setMirror',
      l10n.t('A folder or an address that has the files (fivecrop.weightsMirror).'),
    ),
    ...(trainsWithoutWeights(config.network)
      ? [
          item(
            `$(play) ${without}`,
            'without',
            l10n.t('Starts now, from random weights: needs more images and more epochs.'),
          ),
        ]
      : []),
  ];
}

function itemsFor(shown: Shown): Item[] {
  const { report, config, canEdit, looking } = shown;
  const errors = report?.findings.filter(({ level }) => level === 'error') ?? [];
  if (errors.length > 0)
    return [...refusalItems(errors, canEdit), item(`$(list-unordered) ${l10n.t('Show the Report')}`, 'report')];
  const balanced = config.classWeights === 'balanced';
  return [
    ...startItems(shown),
    ...(freezesLayers(config.method) ? [precisionItem(config)] : []),
    separator(l10n.t('Data')),
    item(`$(database) ${l10n.t('Show What Is in the Data')}`, 'report', report ? countsText(report) : inLabel(config.data)), // prettier-ignore
    checkItem(looking),
    ...(report?.findings ?? []).map((finding) => findingItem(finding, 'report')),
    ...((report && unevenClasses(report)) || balanced ? [balanceItem(balanced)] : []),
    separator(l10n.t('Before Training')),
    ...lookAheadItems(shown),
  ];
}

function countsText({ images, classes }: DataReport): string {
  return l10n.t(
    '{0} classes; {1} images to train on, {2} for validation, {3} for testing',
    classes.length,
    images.train,
    images.valid,
    images.test,
  );
}

function tick(ticked: boolean, label: string, detail: string, settings: Partial<TickedSettings>): Item {
  return { ...item(`$(${ticked ? 'check' : 'circle-large-outline'}) ${label}`, 'tick', detail), settings };
}

/** What can be found out before the run; two of them take steps of it, for which its weights have to be at hand. */
function lookAheadItems({ weights }: Shown): Item[] {
  const lacksWeights = weights?.state === 'missing' || weights?.state === 'refused';
  const stepping = [
    item(`$(graph-line) ${l10n.t('Find Learning Rate')}`, 'rate', l10n.t('Tries rates from low to high, and suggests one.')), // prettier-ignore
    item(`$(watch) ${l10n.t('Estimate Time and Memory')}`, 'estimate', l10n.t('Takes a few steps, and estimates the whole training.')), // prettier-ignore
  ];
  const samples = l10n.t('The images of a step as the network gets them: cropped, augmented and mixed.');
  return [...(lacksWeights ? [] : stepping), item(`$(file-media) ${l10n.t('Show Samples')}`, 'samples', samples)];
}

function precisionItem({ frozenPrecision }: GivenConfig): Item {
  const isInt8 = frozenPrecision === 'int8';
  const detail = l10n.t(
    'Up to three times as fast on the CPU, slower with some networks. The log says so, and how far features move.',
  );
  return tick(isInt8, l10n.t('Compute Frozen Layers in 8 Bits'), detail, {
    frozenPrecision: isInt8 ? 'float32' : 'int8',
  });
}

function balanceItem(balanced: boolean): Item {
  const label = l10n.t('Weigh Classes by Their Number of Images');
  const classWeights = balanced ? 'none' : 'balanced';
  return tick(balanced, label, l10n.t('Rare classes count as much as frequent ones.'), { classWeights });
}

/** A finding in two lines: what is the case, as a title, and what to do. */
function findingItem({ level, what, todo }: Finding, does: Item['does']): Item {
  const title = inLabel(what).replace(/\.$/u, '');
  return item(`$(${level}) ${title}`, does, todo === undefined ? undefined : inLabel(todo));
}

/** Settings that come from a file name their folder there. */
function refusalItems(reasons: readonly Finding[], canEdit: boolean): Item[] {
  const choose = canEdit
    ? `$(folder-opened) ${l10n.t('Choose Another Folder')}`
    : `$(edit) ${l10n.t('Choose Another Folder in the File')}`;
  return [
    item(choose, 'folder', l10n.t('This folder cannot be trained on yet.')),
    separator(l10n.t('Why')),
    ...reasons.map((reason) => findingItem(reason, 'nothing')),
  ];
}

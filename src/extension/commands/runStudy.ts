import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled, userError } from '../../protocol/errors.ts';
import {
  comparedInReport,
  type MissingPart,
  studyFiles,
  type StudyKind,
  type StudyPart,
} from '../../protocol/study.ts';
import { type GivenConfig, givenConfigSchema, type TrainingConfigInput } from '../../protocol/trainingConfig.ts';
import { weightsAdviceForEditor } from '../../protocol/weightsAdvice.ts';
import { hasRecord } from '../../runs/list.ts';
import { tryLock } from '../../runs/lock.ts';
import { isLive } from '../../runs/state.ts';
import { isSameStudy, openStudy, type PlannedPart, readStudy, studyRun } from '../../runs/study.ts';
import type { Parts } from '../parts.ts';
import { inLabel, inMessage } from '../plainText.ts';
import { readSettings } from '../settings.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import type { Studies } from '../trainer/studies.ts';
import { chooseFolder } from './chooseFolder.ts';
import { neededWeights } from './neededWeights.ts';
import { lookForWeights } from './obtainWeights.ts';
import { registerCommand } from './registerCommand.ts';
import { runsFolder } from './runsFolder.ts';
import { methodTexts } from './trainingChoices.ts';

type StudyParts = Pick<Parts, 'log' | 'runs' | 'trainers' | 'service'> & {
  readonly dataFolders: DataFolders;
  readonly studies: Studies;
};

/** *Run a Study*. */
export function registerRunningStudy(parts: StudyParts): vscode.Disposable {
  return registerCommand('fivecrop.runStudy', parts.log, () => runStudy(parts));
}

async function runStudy(parts: StudyParts): Promise<void> {
  const out = runsFolder(parts);
  const kind = await chooseKind();
  const data = await chooseImages(parts.dataFolders);
  const planned = plannedParts(kind, data, await askEpochs());
  const missing = await missingWeights(parts.service, planned);
  const [reason] = missing.map((part) => part.reason);
  if (reason !== undefined && missing.length === planned.length) throw userError(weightsAdviceForEditor(reason));
  await parts.runs.load();
  const { folder, study } = await studyIn(out, kind, planned);
  await parts.dataFolders.remember(data);
  let begun = 0;
  for (const part of study) {
    if (missing.some(({ label }) => label === part.label)) continue;
    if (await enqueue(parts, out, part)) begun++;
  }
  await parts.studies.follow(folder, missing);
  if (begun > 0) void vscode.window.showInformationMessage(inMessage(begunText(begun, folder, missing)));
}

const kindTexts: Readonly<Record<StudyKind, string>> = {
  networks: l10n.t('Networks'),
  methods: l10n.t('Methods'),
  depths: l10n.t('Depths'),
};
const howTexts: Readonly<Record<StudyKind, string>> = {
  networks: l10n.t('A new head on each pretrained network.'),
  methods: l10n.t('DenseNet-169 by each method.'),
  depths: l10n.t('Each network from scratch.'),
};

interface StudyItem extends vscode.QuickPickItem {
  readonly study: StudyKind;
}

async function chooseKind(): Promise<StudyKind> {
  const items = (['networks', 'methods', 'depths'] as const).map((kind): StudyItem => {
    const compared = comparedInReport[kind].map((label) => (kind === 'methods' ? methodWords(label) : label));
    return { label: kindTexts[kind], description: compared.join(', '), detail: howTexts[kind], study: kind };
  });
  const title = l10n.t('Run a study: what shall be compared?');
  const picked = await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true });
  if (picked === undefined) throw cancelled();
  return picked.study;
}

function methodWords(label: string): string {
  return Object.hasOwn(methodTexts, label) ? methodTexts[label as keyof typeof methodTexts][0] : label;
}

interface DataItem extends vscode.QuickPickItem {
  /** Another folder is chosen without it. */
  readonly folder?: string;
}

async function chooseImages(dataFolders: DataFolders): Promise<string> {
  const used = dataFolders
    .all()
    .map((folder): DataItem => ({ label: inLabel(basename(folder)), description: inLabel(folder), folder }));
  const other: DataItem = { label: `$(folder-opened) ${l10n.t('Choose a Folder...')}`, alwaysShow: true };
  const title = l10n.t('Run a study: on which images?');
  const picked = await vscode.window.showQuickPick([...used, other], { title, ignoreFocusOut: true });
  if (picked === undefined) throw cancelled();
  const dialog = { title: l10n.t('Choose a folder of images to train on'), openLabel: l10n.t('Train on This Folder') };
  const folder = picked.folder ?? (await chooseFolder(dialog));
  if (folder === undefined) throw cancelled();
  return folder;
}

const mostEpochs = 100_000;

async function askEpochs(): Promise<number> {
  const answer = await vscode.window.showInputBox({
    ignoreFocusOut: true,
    title: l10n.t('Run a study: how many epochs each?'),
    prompt: l10n.t('How many epochs, passes over the training images?'),
    value: '5',
    validateInput: (text) =>
      /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= mostEpochs
        ? undefined
        : l10n.t('A whole number from 1 to {0}.', mostEpochs.toLocaleString('en')),
  });
  if (answer === undefined) throw cancelled();
  return Number(answer);
}

function plannedParts(kind: StudyKind, data: string, epochs: number): PlannedPart[] {
  const { batchSize, engine, device, cacheMegabytes } = readSettings();
  const common = { data, epochs, batchSize, engine, device, cacheMegabytes };
  return comparedInReport[kind].map((label) => {
    const name = kind === 'methods' ? 'densenet169' : label;
    const own = kind === 'methods' ? { method: label } : kind === 'depths' ? { method: 'scratch' } : {};
    const settings = { ...common, ...own, network: { kind: 'architecture', name } } as TrainingConfigInput;
    return { label, config: givenConfigSchema.parse(settings) };
  });
}

/** The runs whose pretrained weights are neither here nor to be downloaded. */
async function missingWeights(service: Parts['service'], planned: readonly PlannedPart[]): Promise<MissingPart[]> {
  const reasons = new Map<string, Promise<string | undefined>>();
  const reasonOf = async (config: GivenConfig): Promise<string | undefined> => {
    const needed = neededWeights(config);
    if (needed === undefined) return undefined;
    const found = await lookForWeights(service, needed);
    return found.state === 'missing' ? found.reason : undefined;
  };
  const missing: MissingPart[] = [];
  for (const { label, config } of planned) {
    const key = JSON.stringify(neededWeights(config) ?? null);
    const asked = reasons.get(key) ?? reasonOf(config);
    reasons.set(key, asked);
    const reason = await asked;
    if (reason !== undefined) missing.push({ label, reason });
  }
  return missing;
}

/** The folder of the study, an earlier one if it is the same, and its runs. */
async function studyIn(
  out: string,
  kind: StudyKind,
  planned: readonly PlannedPart[],
): Promise<{ readonly folder: string; readonly study: readonly StudyPart[] }> {
  for (let counter = 1; ; counter++) {
    const name = counter === 1 ? `study-${kind}` : `study-${kind}-${counter}`;
    const folder = join(out, name);
    if (await hasRecord(folder)) continue;
    const known = await readStudy(folder);
    if (known && !isSameStudy(known, kind, planned)) continue;
    await mkdir(folder, { recursive: true });
    const lock = await tryLock(join(folder, studyFiles.lock));
    if (!lock) throw userError(l10n.t('A shell runs the study {0} now; its runs appear in the list.', name));
    const { parts } = await openStudy(kind, planned, { out, name }).finally(lock.release);
    return { folder, study: parts };
  }
}

/** Has a run wait for its turn, unless it has finished, trains or waits already, or something is in its place. */
async function enqueue({ trainers }: StudyParts, out: string, part: StudyPart): Promise<boolean> {
  const { run, config } = part;
  const folder = join(out, run);
  const found = await studyRun(out, part);
  if ('inTheWay' in found || trainers.isQueued(folder)) return false;
  const { stored } = found;
  if (stored && (isLive(stored.state) || stored.state === 'finished')) return false;
  await trainers.enqueue(stored ? { config: stored.record.config, out, resume: folder } : { config, out, name: run });
  return true;
}

function begunText(begun: number, folder: string, missing: readonly MissingPart[]): string {
  const name = basename(folder);
  const runs =
    begun === 1
      ? l10n.t('1 run of {0} takes its turn. The results open when it has ended.', name)
      : l10n.t('{0} runs of {1} take their turns. The results open when the last one has ended.', begun, name);
  if (missing.length === 0) return runs;
  const labels = missing.map(({ label }) => label).join(', ');
  return `${runs} ${l10n.t('Left out, as their pretrained weights are not available: {0}.', labels)}`;
}

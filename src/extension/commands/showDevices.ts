import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { DeviceOffer, ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import { deviceChoices, engineChoices } from '../../protocol/trainingConfig.ts';
import type { Parts } from '../parts.ts';
import { answerOf } from '../service/answerOf.ts';
import { withProgress } from '../service/showProgress.ts';
import { readSettings, updateSetting } from '../settings.ts';
import { registerCommand } from './registerCommand.ts';
import { inLabel, inMessage } from '../plainText.ts';

type DevicesAnswer = Extract<ServiceAnswerBody, { type: 'devices' }>;

interface DeviceItem extends vscode.QuickPickItem {
  /** What the settings become where it is chosen; nothing for what cannot be used. */
  readonly settings?: { readonly engine: string; readonly device: string };
  /** The command of ours that may bring what is missing. */
  readonly install?: Remedy['install'];
}

const engineTitles: Readonly<Record<string, string>> = { onnx: 'ONNX Runtime', tensorflow: 'TensorFlow.js' };

interface Remedy {
  readonly text: string;
  readonly install?: { readonly label: string; readonly command: string };
}

/** What to do in the editor for a part that is missing. */
const remedies: Readonly<Record<NonNullable<DeviceOffer['lacks']>, Remedy>> = {
  tensorflow: {
    text: l10n.t('Fivecrop: Install TensorFlow GPU Runtime installs it'),
    install: { label: l10n.t('Install TensorFlow GPU Runtime'), command: 'fivecrop.installTensorflow' },
  },
  cuda: {
    text: l10n.t('Fivecrop: Install CUDA Runtime installs them'),
    install: { label: l10n.t('Install CUDA Runtime'), command: 'fivecrop.installCuda' },
  },
  onnxruntime: { text: l10n.t('install the extension again, in the version for this platform') },
};

/** *Show Devices*: what can compute here, and what is missing and why; the one chosen goes into the settings. */
export function registerShowingDevices({ log, service }: Pick<Parts, 'log' | 'service'>): vscode.Disposable {
  return registerCommand('fivecrop.showDevices', log, async () => {
    const answer = await withProgress(l10n.t('Show Devices'), (call) =>
      answerOf(service, { type: 'devices' }, 'devices', call),
    );
    for (const device of answer.devices) log.info(lineOf(device));
    log.info(`Automatic: ${automaticText(answer)}.`);
    const chosen = await vscode.window.showQuickPick(itemsOf(answer), {
      title: l10n.t('Show Devices'),
      placeHolder: l10n.t('Choose a device to train and classify on, or press Escape'),
      matchOnDetail: true,
    });
    if (!chosen) return;
    if (chosen.settings) await choose(chosen.settings);
    else await explain(chosen);
  });
}

/** Why a device cannot be used, with what to do where we can do it. */
async function explain({ label, detail = label, install }: DeviceItem): Promise<void> {
  const buttons = install === undefined ? [] : [install.label];
  const answer = await vscode.window.showInformationMessage(inMessage(detail), ...buttons);
  if (install !== undefined && answer === install.label) await vscode.commands.executeCommand(install.command);
}

function itemsOf(answer: DevicesAnswer): DeviceItem[] {
  const { devices } = answer;
  const { engine, device } = readSettings();
  const inUse = (settings: { engine: string; device: string }) =>
    settings.engine === engine && settings.device === device ? [l10n.t('in use')] : [];
  const automatic = { engine: engineChoices[0], device: deviceChoices[0] };
  return [
    {
      label: l10n.t('Automatic'),
      description: [l10n.t('the fastest that passes the check of its numbers'), ...inUse(automatic)].join(' · '),
      detail: inLabel(l10n.t('Takes {0}', automaticText(answer))),
      iconPath: new vscode.ThemeIcon('sparkle'),
      settings: automatic,
    },
    ...devices.map((offer): DeviceItem => {
      const settings = { engine: offer.engine, device: offer.name };
      const install = offer.lacks === undefined ? undefined : remedies[offer.lacks].install;
      return {
        label: offer.name,
        description: [titleOf(offer.engine), ...speedOf(offer, devices), ...inUse(settings)].join(' · '),
        detail: inLabel(detailOf(offer)),
        iconPath: new vscode.ThemeIcon(offer.available ? 'check' : 'circle-slash'),
        ...(offer.available ? { settings } : {}),
        ...(install === undefined ? {} : { install }),
      };
    }),
  ];
}

/** What *Automatic* is here, and why. */
function automaticText({ automatic }: DevicesAnswer): string {
  return `${automatic.device} (${titleOf(automatic.engine)}): ${automatic.reason}`;
}

function titleOf(engine: string): string {
  return engineTitles[engine] ?? engine;
}

function detailOf({ detail, lacks }: DeviceOffer): string {
  return lacks === undefined ? detail : `${detail}: ${remedies[lacks].text}`;
}

/** How long the step takes, and how that compares with the fastest device's. */
function speedOf({ available, secondsPerStep }: DeviceOffer, devices: readonly DeviceOffer[]): string[] {
  if (!available) return [l10n.t('cannot be used')];
  if (secondsPerStep === undefined) return [];
  const fastest = Math.min(...devices.map((device) => device.secondsPerStep ?? Number.POSITIVE_INFINITY));
  const ratio = secondsPerStep / fastest;
  const compared =
    ratio === 1 ? [] : [l10n.t('{0} times as long as the fastest', ratio < 10 ? ratio.toFixed(1) : Math.round(ratio))];
  // What is slow is reckoned from one image.
  const time =
    secondsPerStep < 10
      ? l10n.t('{0} s per step', secondsPerStep.toPrecision(2))
      : l10n.t('about {0} s per step', secondsPerStep.toFixed(0));
  return [time, ...compared];
}

function lineOf(offer: DeviceOffer): string {
  return `${titleOf(offer.engine)}, ${offer.name}: ${[...speedOf(offer, [offer]), detailOf(offer)].join('; ')}`;
}

async function choose({ engine, device }: { readonly engine: string; readonly device: string }): Promise<void> {
  await updateSetting('engine', engine);
  await updateSetting('device', device);
}

import * as vscode from 'vscode';
import type { DeviceOffer } from '../../protocol/serviceProtocol.ts';
import { deviceChoices, engineChoices } from '../../protocol/trainingConfig.ts';
import type { Parts } from '../parts.ts';
import { answerOf } from '../service/answerOf.ts';
import { readSettings } from '../settings.ts';
import { registerCommand } from './registerCommand.ts';
import { inLabel, inMessage } from '../plainText.ts';

interface DeviceItem extends vscode.QuickPickItem {
  /** What the settings become where it is chosen; nothing for what cannot be used. */
  readonly settings?: { readonly engine: string; readonly device: string };
  /** Whether a command of ours may bring what is missing. */
  readonly installable?: boolean;
}

const engineTitles: Readonly<Record<string, string>> = { onnx: 'ONNX Runtime', tensorflow: 'TensorFlow.js' };

/** *Show Devices*: what can compute here, and what is missing and why; the one chosen goes into the settings. */
export function registerShowingDevices({ log, service }: Pick<Parts, 'log' | 'service'>): vscode.Disposable {
  return registerCommand('fivecrop.showDevices', log, async () => {
    const { devices } = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Window, title: 'Trying what this machine computes with' },
      () => answerOf(service, { type: 'devices' }, 'devices'),
    );
    for (const device of devices) log.info(lineOf(device));
    const chosen = await vscode.window.showQuickPick(itemsOf(devices), {
      title: 'What can compute here',
      placeHolder: 'Choose one to train and classify on from now on, or leave with Escape',
      matchOnDetail: true,
    });
    if (!chosen) return;
    if (chosen.settings) await choose(chosen.settings);
    else await explain(chosen);
  });
}

/** Why a device cannot be used, with what to do where we can do it. */
async function explain({ label, detail = label, installable = false }: DeviceItem): Promise<void> {
  const install = 'Install TensorFlow GPU Runtime';
  const answer = await vscode.window.showInformationMessage(inMessage(detail), ...(installable ? [install] : []));
  if (answer === install) await vscode.commands.executeCommand('fivecrop.installTensorflow');
}

function itemsOf(devices: readonly DeviceOffer[]): DeviceItem[] {
  const { engine, device } = readSettings();
  const inUse = (settings: { engine: string; device: string }) =>
    settings.engine === engine && settings.device === device ? ['in use'] : [];
  const automatic = { engine: engineChoices[0], device: deviceChoices[0] };
  return [
    {
      label: 'Automatic',
      description: ['the fastest that passes the check of its numbers', ...inUse(automatic)].join(' · '),
      iconPath: new vscode.ThemeIcon('sparkle'),
      settings: automatic,
    },
    ...devices.map((offer): DeviceItem => {
      const settings = { engine: offer.engine, device: offer.name };
      return {
        label: offer.name,
        description: [engineTitles[offer.engine] ?? offer.engine, ...speedOf(offer), ...inUse(settings)].join(' · '),
        detail: inLabel(offer.detail),
        iconPath: new vscode.ThemeIcon(offer.available ? 'check' : 'circle-slash'),
        ...(offer.available ? { settings } : { installable: offer.engine === 'tensorflow' }),
      };
    }),
  ];
}

function speedOf({ available, secondsPerStep }: DeviceOffer): string[] {
  if (!available) return ['cannot be used'];
  return secondsPerStep === undefined ? [] : [`${(1 / secondsPerStep).toFixed(1)} steps a second in the check`];
}

function lineOf(offer: DeviceOffer): string {
  const engine = engineTitles[offer.engine] ?? offer.engine;
  return `${engine}, ${offer.name}: ${[...speedOf(offer), offer.detail].join('; ')}`;
}

async function choose({ engine, device }: { readonly engine: string; readonly device: string }): Promise<void> {
  const settings = vscode.workspace.getConfiguration('fivecrop');
  await settings.update('engine', engine, vscode.ConfigurationTarget.Global);
  await settings.update('device', device, vscode.ConfigurationTarget.Global);
}

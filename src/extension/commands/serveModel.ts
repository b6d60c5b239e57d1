import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';
import { visible } from '../../protocol/visibleText.ts';
import { checkpointTitle } from '../panels/checkpointTitle.ts';
import type { Parts } from '../parts.ts';
import { inLabel, inMessage } from '../plainText.ts';
import { requireTrust } from '../requireTrust.ts';
import { withProgress } from '../service/showProgress.ts';
import { isFreePort, type ModelServer, startModelServer } from '../serving/modelServer.ts';
import { readSettings } from '../settings.ts';
import { workerEnvironment } from '../workerEnvironment.ts';
import { checkpointFrom } from './checkpointFrom.ts';
import { registerCommand, showFailure } from './registerCommand.ts';

/** What `fivecrop serve` listens on if nothing is said. */
const usualPort = 8765;

/** A model that this window serves. */
interface Serving extends ModelServer {
  readonly checkpoint: string;
  readonly title: string;
}

/** *Serve Model* and *Show Served Models*: `fivecrop serve` in processes that end with the window. */
export function registerServingModel(
  context: vscode.ExtensionContext,
  parts: Pick<Parts, 'log' | 'runs'>,
): vscode.Disposable {
  const { log } = parts;
  const serving = new Map<string, Serving>();
  const starting = new Set<string>();
  const item = vscode.window.createStatusBarItem('fivecrop.serving', vscode.StatusBarAlignment.Left, 0);
  item.name = l10n.t('Fivecrop: Served Models');
  item.command = 'fivecrop.showServedModels';
  const show = (): void => {
    const [first, ...others] = serving.values();
    if (first === undefined) {
      item.hide();
      return;
    }
    item.text = `$(broadcast) ${inLabel(l10n.t('Serving {0}', first.title))}${others.length === 0 ? '' : ` +${others.length}`}`;
    item.tooltip = [first, ...others].map(({ title, address }) => visible(`${title}: ${address}`)).join('\n');
    item.show();
  };
  const begin = async (checkpoint: string): Promise<Serving> => {
    const title = checkpointTitle(checkpoint);
    const { crops, engine, device } = readSettings();
    const model = { checkpoint, crops, engine, device, port: await choosePort() };
    const program = {
      script: context.asAbsolutePath('dist/ml/fivecrop.mjs'),
      environment: workerEnvironment(context),
      onLine: (line: string) => log.info(`serve: ${line}`),
    };
    const server = await withProgress(l10n.t('Starting to serve {0}', title), ({ signal }) =>
      startModelServer(model, program, signal ?? new AbortController().signal),
    );
    const own = { ...server, checkpoint, title };
    serving.set(checkpoint, own);
    show();
    void server.ended.then((reason) => {
      serving.delete(checkpoint);
      show();
      if (reason !== undefined) void vscode.window.showErrorMessage(inMessage(l10n.t('{0} is no longer served: {1}', title, reason))); // prettier-ignore
    });
    return own;
  };
  return vscode.Disposable.from(
    item,
    registerCommand('fivecrop.serveModel', log, async (argument: unknown) => {
      requireTrust('classifying');
      const checkpoint = await checkpointFrom(parts, argument, {
        title: l10n.t('Serve a checkpoint of which run?'),
        none: l10n.t('There is no checkpoint to serve yet; train a model first with Fivecrop: Train Model.'),
      });
      if (starting.has(checkpoint)) return;
      starting.add(checkpoint);
      try {
        const own = serving.get(checkpoint) ?? (await begin(checkpoint));
        void tell(own).catch((error: unknown) => showFailure(error, log));
      } finally {
        starting.delete(checkpoint);
      }
    }),
    registerCommand('fivecrop.showServedModels', log, () => choose([...serving.values()])),
    new vscode.Disposable(() => {
      for (const { stop } of serving.values()) stop();
    }),
  );
}

/** The usual port, or any that is free if the user agrees. */
async function choosePort(): Promise<number> {
  if (await isFreePort(usualPort)) return usualPort;
  const another = l10n.t('Use a Free Port');
  const message = l10n.t('Port {0} of this machine is in use.', String(usualPort));
  if ((await vscode.window.showWarningMessage(message, another)) === another) return 0;
  throw cancelled();
}

const actions = {
  open: l10n.t('Open in Browser'),
  copy: l10n.t('Copy Address'),
  stop: l10n.t('Stop Serving'),
};

async function tell(serving: Serving): Promise<void> {
  const { open, copy, stop } = actions;
  const message = l10n.t('{0} classifies images at {1} until this window is closed.', serving.title, serving.address);
  const answer = await vscode.window.showInformationMessage(inMessage(message), open, copy, stop);
  if (answer !== undefined) await act(answer, serving);
}

async function act(action: string, { address, stop }: Serving): Promise<void> {
  if (action === actions.open) await vscode.env.openExternal(vscode.Uri.parse(address));
  else if (action === actions.copy) await vscode.env.clipboard.writeText(address);
  else stop();
}

/** Asks what to do with a model that is served. */
async function choose(all: readonly Serving[]): Promise<void> {
  if (all.length === 0) {
    void vscode.window.showInformationMessage(l10n.t('No model is served now; Fivecrop: Serve Model starts one.'));
    return;
  }
  const items = all.flatMap((serving) => [
    { label: inLabel(serving.title), kind: vscode.QuickPickItemKind.Separator, serving },
    ...Object.values(actions).map((label) => ({ label, description: serving.address, serving })),
  ]);
  const title = l10n.t('Served models');
  const chosen = await vscode.window.showQuickPick(items, { title });
  if (chosen) await act(chosen.label, chosen.serving);
}

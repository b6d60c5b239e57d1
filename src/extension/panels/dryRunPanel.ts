import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { usualRateRange } from '../../protocol/dryRun.ts';
import { dryRunPanelToHostSchema, type DryRunPanelToHost, type DryRunPanelToPage } from '../../protocol/dryRunPanel.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { visible } from '../../protocol/visibleText.ts';
import { showFailure } from '../commands/registerCommand.ts';
import { settingsInWords } from '../commands/settingsInWords.ts';
import type { Panels, Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { answerOf } from '../service/answerOf.ts';
import { startDryRun } from '../trainer/startDryRun.ts';
import { workerEnvironment } from '../workerEnvironment.ts';
import { createDryRunSession, type DryRunSession } from './dryRunSession.ts';
import { createPanel, hostPage } from './hostPage.ts';
import { newPanelId } from './panelMemory.ts';

type DryRunParts = Pick<Parts, 'log' | 'service'>;

/** See `Panels.lookAhead`. The page does not come back after a reload, as the question does not. */
export function openDryRunPanel(context: vscode.ExtensionContext, parts: DryRunParts): Panels['lookAhead'] {
  const { log } = parts;
  return (config, first) => {
    requireTrust('training');
    const title = visible(l10n.t('Before Training on {0}', basename(config.data)));
    const panel = createPanel('dryRun', title);
    return new Promise((resolve) => {
      const connection = hostPage<DryRunPanelToPage, DryRunPanelToHost>(panel, context, {
        name: 'dryRun',
        panelId: newPanelId(),
        log,
        schema: dryRunPanelToHostSchema,
        replay: () => {
          connection.post({ type: 'setup', title, settings: settingsInWords(config) });
          session.replay();
        },
        receive: (message) => {
          if (message.type === 'back') {
            resolve({ learningRate: message.learningRate });
            panel.dispose();
          } else void obey(message, session, config).catch((error: unknown) => showFailure(error, log));
        },
      });
      const session = sessionOf(config, context, parts, connection.post);
      panel.onDidDispose(() => {
        session.dispose();
        resolve(undefined);
      });
      const message = first === 'samples' ? { type: first, epoch: 0, batch: 0 } : { type: first };
      void obey(message, session, config).catch((error: unknown) => showFailure(error, log));
    });
  };
}

function sessionOf(
  config: GivenConfig,
  context: vscode.ExtensionContext,
  { log, service }: DryRunParts,
  post: (message: DryRunPanelToPage) => void,
): DryRunSession {
  const program = {
    script: context.asAbsolutePath('dist/ml/dryRun.mjs'),
    environment: workerEnvironment(context),
    onErrorLine: (line: string) => log.warn(`dry run: ${line}`),
  };
  return createDryRunSession(
    {
      dryRun: (request, call) =>
        startDryRun(request, program, {
          ...call,
          onAnswer: (answer) => {
            if (answer.type === 'log') log.info(`dry run: ${answer.message}`);
            call.onAnswer(answer);
          },
        }),
      samples: async (place, call) => {
        const { samples } = await answerOf(service, { type: 'samples', config, ...place }, 'samples', call);
        return samples;
      },
    },
    post,
  );
}

async function obey(
  message: Exclude<DryRunPanelToHost, { type: 'ready' | 'back' }>,
  session: DryRunSession,
  config: GivenConfig,
): Promise<void> {
  switch (message.type) {
    case 'rate':
      return session.rate({ what: 'rate', config, range: usualRateRange });
    case 'estimate':
      return session.estimate({ what: 'estimate', config });
    case 'samples':
      return session.samples(message);
    case 'cancel':
      session.cancel();
      return;
    case 'open':
      await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(message.image));
  }
}

import { dirname, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import { splitNames } from '../../protocol/dataReport.ts';
import {
  evaluationPanelToHostSchema,
  type EvaluationPanelToHost,
  type EvaluationPanelToPage,
  mostShownImages,
} from '../../protocol/evaluationPanel.ts';
import { messageOf } from '../../protocol/errors.ts';
import { parseImageTable } from '../../protocol/imageTable.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import { showFailure } from '../commands/registerCommand.ts';
import type { Panels, Parts } from '../parts.ts';
import { readSettings } from '../settings.ts';
import { requireTrust, untrustedRefusal } from '../requireTrust.ts';
import { checkpointTitle } from './checkpointTitle.ts';
import { readEvaluations, timeWritten } from '../../runs/evaluations.ts';
import { readBoundedText, tableLimit } from '../../runs/boundedFile.ts';
import { checkpointMetadataIn, seesWholeImages } from '../../runs/checkpointFiles.ts';
import { createEvaluationSession, type EvaluationData, type EvaluationSession } from './evaluationSession.ts';
import { hostPage } from './hostPage.ts';
import { createKeyedPanels } from './keyedPanels.ts';
import { createPanelMemory } from './panelMemory.ts';
import { pictureFor } from './pictureFor.ts';
import { saveExport } from './saveExport.ts';

type EvaluationParts = Pick<Parts, 'log' | 'service' | 'runs'>;

/** A checkpoint and what it is, or was last, tested on. */
const shownSchema = z.object({
  checkpoint: z.string(),
  on: z.object({ data: z.string(), split: z.enum(splitNames) }).optional(),
  /** The CSV file whose columns images are told apart by. */
  table: z.string().optional(),
});
type Shown = z.infer<typeof shownSchema>;

export interface EvaluationPanels {
  /** See `Panels.showEvaluation`. */
  readonly show: (
    checkpoint: string,
    test?: { readonly on: EvaluationData; readonly crops: readonly CropCount[] },
  ) => void;
  /** See `Panels.showTestedImages`. */
  readonly showImages: Panels['showTestedImages'];
  dispose(): void;
}

interface OpenPanel {
  readonly test: (on: EvaluationData, crops: readonly CropCount[]) => void;
  /** Tells the page what to show, as soon as it listens. */
  readonly direct: (message: ShowMessage) => void;
}

type ShowMessage = Extract<EvaluationPanelToPage, { type: 'show' }>;

/** Panels with test results, one a checkpoint. */
export function registerEvaluationPanels(context: vscode.ExtensionContext, parts: EvaluationParts): EvaluationPanels {
  const { log } = parts;
  const memory = createPanelMemory<Shown>(context.workspaceState, shownSchema);

  function fill(panel: vscode.WebviewPanel, id: string, shown: Shown): OpenPanel {
    const { checkpoint } = shown;
    let { on, table } = shown;
    let waiting: ShowMessage | undefined;
    const remember = () => memory.remember(id, { checkpoint, ...(on ? { on } : {}), ...(table === undefined ? {} : { table }) }); // prettier-ignore
    const connection = hostPage<EvaluationPanelToPage, EvaluationPanelToHost>(panel, context, {
      name: 'evaluation',
      panelId: id,
      log,
      schema: evaluationPanelToHostSchema,
      replay: () => {
        void session.replay();
        if (waiting && connection.post(waiting)) waiting = undefined;
      },
      receive: (message) => {
        const controls = { checkpoint, session, again, useTable, post: connection.post };
        void obey(message, controls, parts).catch((error: unknown) => showFailure(error, log));
      },
    });
    const session = createEvaluationSession(sourceOf(checkpoint, parts), connection.post);
    const test = (data: EvaluationData, crops: readonly CropCount[]) => {
      on = { ...data };
      remember();
      void session.test(data, crops);
    };
    const useTable = async (file: string) => {
      await session.useTable(file);
      table = file;
      remember();
    };
    const again = async (crops: CropCount) => {
      requireTrust('testing');
      const [newest] = await readEvaluations(checkpoint, () => undefined);
      const split = splitNames.find((name) => name === newest?.split);
      const known = on ?? (newest && split ? { data: newest.data, split } : undefined);
      if (known) test(known, [crops]);
      else await vscode.commands.executeCommand('fivecrop.testCheckpoint', vscode.Uri.file(checkpoint));
    };
    const changed = parts.runs.onDidChangeCheckpoints((run) => {
      if (run === dirname(dirname(checkpoint))) void session.refresh();
    });
    const trusted = vscode.workspace.onDidGrantWorkspaceTrust(() => void session.refresh());
    panel.onDidDispose(() => {
      changed.dispose();
      trusted.dispose();
      session.dispose();
      memory.forget(id);
    });
    remember();
    // A table that is gone is not missed until it is asked for.
    if (table !== undefined) void session.useTable(table).catch((error: unknown) => log.warn(messageOf(error)));
    const direct = (message: ShowMessage) => {
      waiting = connection.post(message) ? undefined : message;
      // Where nothing watches the checkpoint's folder, its last test is not known yet.
      void session.refresh();
    };
    return { test, direct };
  }

  const panels = createKeyedPanels<Shown, OpenPanel>({
    page: 'evaluation',
    memory,
    keyOf: ({ checkpoint }) => checkpoint,
    titleOf: ({ checkpoint }) => l10n.t('Test of {0}', checkpointTitle(checkpoint)),
    fill,
  });
  const openThen = (checkpoint: string, act: (panel: OpenPanel) => void) =>
    void panels.open({ checkpoint }).then(({ own }) => act(own)).catch((error: unknown) => showFailure(error, log)); // prettier-ignore
  return {
    show: (checkpoint, test) =>
      openThen(checkpoint, (own) => {
        if (test) own.test(test.on, test.crops);
      }),
    showImages: ({ checkpoint, ...test }, behind) => {
      const images = behind && { title: behind.title, paths: behind.images.slice(0, mostShownImages), of: behind.images.length }; // prettier-ignore
      openThen(checkpoint, ({ direct }) => direct({ type: 'show', ...test, ...(images && { images }) }));
    },
    dispose: panels.dispose,
  };
}

function sourceOf(checkpoint: string, { service, log }: EvaluationParts) {
  return {
    label: checkpointTitle(checkpoint),
    read: () => readEvaluations(checkpoint, (reason) => log.warn(reason)),
    written: () => timeWritten(checkpoint),
    wholeImages: () => seesWholeImages(checkpoint),
    calibration: async () => (await checkpointMetadataIn(checkpoint))?.calibration,
    refusal: () => untrustedRefusal('testing'),
    table: async (file: string) => parseImageTable(file, await readBoundedText(file, tableLimit)),
    evaluate: async ({ data, split, crops, signal, onAnswer }: Parameters<EvaluateFunction>[0]) => {
      const { engine, device } = readSettings();
      const request = { type: 'evaluate' as const, checkpoint, data, split, crops, engine, device };
      await service.request(request, { onAnswer, signal });
    },
    uncalibrate: (signal: AbortSignal) => service.request({ type: 'uncalibrate', checkpoint }, { signal }),
    calibrate: async ({ targetError, signal, onAnswer }: Parameters<CalibrateFunction>[0]) => {
      const { engine, device } = readSettings();
      const request = { type: 'calibrate' as const, checkpoint, targetError, engine, device };
      await service.request(request, { onAnswer, signal });
    },
  };
}

type EvaluateFunction = Parameters<typeof createEvaluationSession>[0]['evaluate'];
type CalibrateFunction = Parameters<typeof createEvaluationSession>[0]['calibrate'];

const exportTitles = {
  images: l10n.t('Export the tested images'),
  classes: l10n.t('Export the figures of the classes'),
  confusions: l10n.t('Export the confusion matrix'),
  curves: l10n.t('Export precision-recall and ROC curves'),
};

interface Controls {
  readonly checkpoint: string;
  readonly session: EvaluationSession;
  readonly again: (crops: CropCount) => Promise<void>;
  readonly useTable: (file: string) => Promise<void>;
  readonly post: (message: EvaluationPanelToPage) => void;
}

async function obey(
  message: Exclude<EvaluationPanelToHost, { type: 'ready' }>,
  { checkpoint, session, again, useTable, post }: Controls,
  parts: EvaluationParts,
): Promise<void> {
  switch (message.type) {
    case 'test':
      return again(message.crops);
    case 'calibrate': {
      requireTrust('testing');
      const { data, split, crops } = message.again;
      return session.calibrate(message.targetError, { data, split }, crops);
    }
    case 'uncalibrate': {
      requireTrust('testing');
      const { data, split, crops } = message.again;
      return session.uncalibrate({ data, split }, crops);
    }
    case 'probabilities':
      return session.showProbabilities(message.time, message.crops);
    case 'chooseTable': {
      const file = await chooseTable();
      if (file !== undefined) await useTable(file);
      return;
    }
    case 'cancel':
      session.cancel();
      return;
    case 'open':
      await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(message.image));
      return;
    case 'reveal':
      await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(message.image));
      return;
    case 'clean':
      await vscode.commands.executeCommand('fivecrop.cleanData', vscode.Uri.file(message.data));
      return;
    case 'picture': {
      const picture = await pictureFor(parts, message.image, message.size);
      if (picture !== undefined) post({ type: 'picture', image: message.image, picture });
      return;
    }
    case 'export': {
      const { what, format, content } = message;
      return saveExport({
        name: `${checkpointTitle(checkpoint)} test ${what}`,
        format,
        content,
        title: exportTitles[what],
        folder: join(dirname(checkpoint), '..'),
      });
    }
  }
}

async function chooseTable(): Promise<string | undefined> {
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: l10n.t('Choose a CSV file whose first column names images'),
      openLabel: l10n.t('Slice by This File'),
      filters: { CSV: ['csv'] },
    })) ?? [];
  return chosen?.fsPath;
}

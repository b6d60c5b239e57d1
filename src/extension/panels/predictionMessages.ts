import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { decodedEndings } from '../../protocol/imageFiles.ts';
import type { PredictionPanelToHost, PredictionPanelToPage } from '../../protocol/predictionPanel.ts';
import type { ClassifierSource } from '../../protocol/serviceProtocol.ts';
import type { Parts } from '../parts.ts';
import { readSettings } from '../settings.ts';
import { chooseSource } from './chooseSource.ts';
import { sourceOfId } from './offeredSources.ts';
import { localFiles } from './localFiles.ts';
import type { Explainer } from './explainer.ts';
import { pictureFor } from './pictureFor.ts';
import type { PredictionSession } from './predictionSession.ts';
import { saveExport } from './saveExport.ts';

export interface PredictionControls {
  readonly session: PredictionSession;
  readonly explainer: Explainer;
  readonly setUp: () => void;
  readonly use: (source: ClassifierSource) => void;
  readonly post: (message: PredictionPanelToPage) => void;
}

/** Does what the page asks for. */
export async function obeyPredictionPage(
  message: Exclude<PredictionPanelToHost, { type: 'ready' }>,
  { session, explainer, setUp, use, post }: PredictionControls,
  parts: Pick<Parts, 'log' | 'service' | 'runs'>,
): Promise<void> {
  switch (message.type) {
    case 'source': {
      const source = sourceOfId(message.id);
      if (source) use(source);
      return;
    }
    case 'chooseSource': {
      const source = await chooseSource(parts);
      // Without a choice the page's list goes back to the one in use.
      if (source) use(source);
      else setUp();
      return;
    }
    case 'crops':
      session.use({ crops: message.crops });
      setUp();
      return;
    case 'dropped':
      session.add(localFiles(message.uris));
      setUp();
      return;
    case 'chooseImages': {
      const chosen = await chooseImages();
      session.add(chosen);
      setUp();
      return;
    }
    case 'classify':
      session.goOn();
      return;
    case 'remove':
      session.remove(message.image);
      setUp();
      return;
    case 'cancel':
      session.cancel();
      return;
    case 'explain': {
      const { source, crops } = session.using;
      const { image, index } = message;
      const { precision } = readSettings();
      return source && explainer.explain({ image, index, source, crops, precision });
    }
    case 'cancelExplaining':
      explainer.cancel();
      return;
    case 'preview': {
      const picture = await pictureFor(parts, message.image, message.size);
      if (picture !== undefined) post({ type: 'preview', image: message.image, picture });
      return;
    }
    case 'open':
      await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(message.image));
      return;
    case 'exportCsv':
      return saveExport({
        name: 'classification',
        format: 'csv',
        content: message.content,
        title: l10n.t('Export predictions'),
      });
  }
}

/** The editor's own dialog for images; none if it is closed. */
export async function chooseImages(
  title = l10n.t('Choose images to classify'),
  openLabel = l10n.t('Classify'),
): Promise<string[]> {
  const filters = { Images: [...decodedEndings] };
  const chosen = await vscode.window.showOpenDialog({ canSelectMany: true, filters, title, openLabel });
  return (chosen ?? []).map(({ fsPath }) => fsPath);
}

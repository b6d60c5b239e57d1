import * as vscode from 'vscode';
import type { ArrivedPicture, FeaturePanelToHost } from '../../protocol/featurePanel.ts';
import type { ClassifierSource } from '../../protocol/serviceProtocol.ts';
import type { Parts } from '../parts.ts';
import { chooseSource } from './chooseSource.ts';
import { sourceOfId } from './offeredSources.ts';
import { pictureFor } from './pictureFor.ts';

export interface FeatureControls {
  /** The file of an image that the page names. */
  readonly fileOf: (image: string) => string;
  /** Works with other features from now on. */
  readonly use: (source: ClassifierSource) => Promise<void>;
  readonly look: () => Promise<void>;
  readonly cancel: () => void;
  readonly post: (message: ArrivedPicture) => void;
}

/** Does what every page may ask for that judges images by a network's features. */
export async function actOnFeatures(
  message: FeaturePanelToHost,
  { fileOf, use, look, cancel, post }: FeatureControls,
  parts: Pick<Parts, 'log' | 'service' | 'runs'>,
): Promise<void> {
  switch (message.type) {
    case 'look':
      return look();
    case 'source':
    case 'chooseSource': {
      const source = message.type === 'source' ? sourceOfId(message.id) : await chooseSource(parts);
      if (source) await use(source);
      return;
    }
    case 'cancel':
      cancel();
      return;
    case 'open':
      await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(fileOf(message.image)));
      return;
    case 'picture': {
      const { image, size } = message;
      const picture = await pictureFor(parts, fileOf(image), size);
      if (picture !== undefined) post({ type: 'picture', image, size, picture });
    }
  }
}
